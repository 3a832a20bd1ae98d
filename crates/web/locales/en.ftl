# Common to all sites: layout, view settings, errors.

skip-to-content = Skip to content
language-switch = Language
menu = Sections
footer-links = Links at the foot of the page
time-zone-note = Times are in UTC{ $offset }.
copy = Copy
copied = Copied
pager-label = Pages of the list
pager-first = To the beginning
pager-next = Next

theme-auto = As on the device
theme-dark = Dark theme
theme-light = Light theme

vision-on = Version for low vision
vision-off = Standard version
vision-open = View settings
vision-close = Hide the settings
vision-panel = Settings of the version for low vision
vision-size = Letters
vision-size-large = Large
vision-size-larger = Larger
vision-size-largest = Largest
vision-colors = Colours
vision-colors-black-on-white = Black on white
vision-colors-white-on-black = White on black
vision-colors-blue = Dark blue on light blue
vision-colors-yellow-on-black = Yellow on black
vision-typeface = Typeface
vision-typeface-sans = Sans serif
vision-typeface-serif = Serif
vision-spacing = Spacing
vision-spacing-usual = Usual
vision-spacing-wide = Wide
vision-spacing-widest = Widest
vision-images = Images
vision-images-on = Show
vision-images-off = Hide

time-seconds-ago = { $count ->
    [one] { $count } second ago
   *[other] { $count } seconds ago
}
time-minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
time-hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
time-days-ago = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}

fill-label = { $pledged } of { $cost } collected, { $percent }
fill-of = of { $cost }
fill-surplus = Above the cost: { $amount }

error-title-bad-request = The request was not understood
error-title-unauthorized = Please log in
error-title-forbidden = No access
error-title-not-found = Page not found
error-title-conflict = This contradicts what is recorded
error-title-too-many = Too many requests
error-title-unavailable = Temporarily unavailable
error-title-internal = A failure on our side
error-page-missing = There is nothing at this address. Check whether a part of the link was lost.
error-malformed = Something in the request is missing or malformed.
error-method = This address does not take this kind of request.
error-too-large = Too much data was sent.
error-timeout = The request took too long. Please try again.
error-internal = The request was not carried out. Please try again in a minute.
error-csrf = The form is out of date or was opened in another session. Go back, reload the page and send the form again.
error-reference = If this happens again, tell us the number:
error-home = To the start page
