# The portal: words for citizens. Short sentences, no jargon where it can be helped.

site-name = Kopilka
site-about = Citizens share out a part of the budget themselves: in secret, in equal shares, and so that everything can be checked.
menu-rounds = Rounds
menu-keys = My key
menu-honest = Honestly
menu-explorer = Explorer
menu-account = What is known about you
breadcrumbs = Path
yes = Yes
municipality-number = Municipality { $number }

corner-login = Log in with Gosuslugi
corner-account = You are logged in
corner-logout = Log out

## Start
home-title = Start
home-heading = Decide what your city spends money on
home-sentence-1 = The municipality sets aside a part of its budget, and every resident gets an equal share of it.
home-sentence-2 = You put your share into the piggy banks of the initiatives you support: a yard, a park, street lights.
home-sentence-3 = Nobody, this portal included, can learn what you chose, and anybody can check the count.
home-honest = What we promise and what we cannot
home-open = Going on now
home-open-none = No round is open at the moment. Please come back later.
home-over = Finished

## Round
round-untitled = Round { $number }
round-card-budget = { $amount } in this round
round-initiatives = { $count ->
    [one] { $count } initiative
   *[other] { $count } initiatives
}
round-registered = { $count ->
    [one] { $count } participant
   *[other] { $count } participants
}
round-take-part = Take part
round-result = Result
round-check = Check my vote
round-initiatives-heading = Initiatives
round-initiatives-none = No initiatives yet.
round-live = Keep the amounts up to date
round-way = The way of this round
round-explorer = This round in the explorer: every operation and a recount
stat-budget = Money in the round
stat-registered = Participants
stat-allocated = Have chosen
stat-pledged = In the piggy banks
step-registration = Registration
step-pledging = Choosing
step-tallying = Counting
step-objection = Time for objections
step-settled = The decision is final
step-not-before = ends not before { $time }
phase-draft = Being prepared
phase-registration = Registration is open
phase-pledging = Choosing is open
phase-tallying = Being counted
phase-objection = Time for objections
phase-settled = Decided
phase-closed = Finished
phase-cancelled = Called off
now-draft = The round is being prepared: initiatives are still being entered.
now-registration = Registration is open: get your right to vote now. You can put your share into piggy banks once registration has ended.
now-pledging = Choosing is open: registered participants put their shares into piggy banks. You can change your choice until this ends.
now-tallying = Choosing has ended, the count is going on. Choices cannot be changed any more. A result will be proposed soon.
now-objection = A result is proposed. Until the time is over anybody can recount it and object; then it becomes final.
now-settled = The decision is final. The piggy banks of the winners hold exactly what they cost, the rest went back to the budget.
now-closed = The round is finished: all money was paid out or returned to the budget.
now-cancelled = The round was called off. All money went back to the budget.

## Initiative
initiative-untitled = Initiative { $number }
initiative-number = Initiative { $number }
initiative-won = Won
initiative-lost = Not chosen
initiative-supporters-after = { $count ->
    [one] person supports it
   *[other] people support it
}
initiative-cost = Cost
initiative-supporters = Supporters
initiative-paid = Paid to contractors
initiative-wallet = Piggy bank
initiative-explorer = The piggy bank in the explorer
initiative-document = The document itself
initiative-back = All initiatives
initiative-no-text = No description has been published yet.

## Logging in
login-try-again = Log in again
login-denied-title = Login cancelled
login-denied-what = The login was not confirmed at Gosuslugi.
login-denied-do = If you cancelled it by mistake, try again.
login-unconfirmed-title = Your account is not confirmed
login-unconfirmed-what = Your Gosuslugi account is not confirmed yet, so we cannot know that one real person stands behind it.
login-unconfirmed-do = Confirm it: in your bank's app, at a public service centre (МФЦ) with your passport, or with an electronic signature. It usually takes a few minutes. Then come back and log in again.
login-again-title = Please log in again
login-again-what = The login link is too old, has been used already, or was opened in another browser.
login-again-do = Nothing is lost. Press the button and log in once more.
login-unavailable-title = Gosuslugi does not answer
login-unavailable-what = Logging in does not work right now: Gosuslugi is down or overloaded.
login-unavailable-do = Nothing is lost. Try again in a few minutes.
login-broken-title = Logging in is broken
login-broken-what = Gosuslugi did not accept our portal's request. It is not your fault.
login-broken-do = Our log has already told us. Please try later.

## What is known about you
account-title = What the portal knows about you
account-known = Until your session ends the portal remembers only this
account-confirmed = Account confirmed
account-municipality = Municipality of residence
account-municipality-none = none of those taking part
account-age = Age
account-unknown = The portal does not keep your name, address, date of birth or Gosuslugi number: it looked at them once when you logged in. The session lies in a sealed cookie of your browser and ends after half an hour of inactivity.
account-to-rounds = To the rounds
age-adult = 18 or over
age-youth = 16 or 17
age-child = under 16
age-unknown = unknown
account-elsewhere-title = Your registered address is in none of the municipalities that take part
account-elsewhere-what = Those whose registered residence is in the round's municipality have the right to vote. That is what its decision says.
account-elsewhere-do = If you moved recently, check your registered address in your Gosuslugi profile: that is where we take it from. Once corrected, log out and in again. Everybody can look at rounds and check the count without logging in.
account-young-title = You can take part from the age of 16
account-young-do = You can look at the initiatives and watch the piggy banks now.
account-no-date-title = Gosuslugi did not tell us your date of birth
account-no-date-do = Check the date of birth in your Gosuslugi profile, then log out and in again.

## Taking part
take-title = Take part in the round
take-round = Round
take-steps = Steps
take-step-keys = Key
take-step-credential = Right to vote
take-step-ballot = Choice
take-step-receipt = Receipt
take-loading = Finding out where you are…
take-noscript = Taking part needs JavaScript: your key is made and kept in your browser alone, and only it can sign. The server cannot and must not do that for you. You can look at the round and its results without it.
take-login-title = Log in with Gosuslugi
take-login-what = You need to log in once, so that we know you live here and have not had a right to vote in this round yet.
take-login-lost = Your session has ended, which is normal. Nothing is lost: log in again and we go on from here.
take-login-privacy = The portal keeps neither your name nor your Gosuslugi number. And it does not learn which key is yours: it signs blindly.
take-ineligible-title = You cannot take part in this round
take-ineligible-account = What is known about you and what to do
take-keys-title = Let us make your key
take-keys-what = The key is like your seal for this vote. It is made here in your browser and never leaves it. It signs your choice, and nobody can link it to you.
take-keys-shared = The key is kept in this browser. If others use this computer, they can see and change your choice: better use your own phone, or delete the key under “My key” when you are done.
take-keys-create = Make my key
take-keys-have = I have recovery words

take-restore-title = Your key is on another device
take-restore-what = You were given a right to vote in this round already, for a key that is not in this browser. Open the portal on that device, or bring the key back with your recovery words.
take-restore-lost = If the words are lost, nobody can bring the key back: the portal does not know which one it is. A recorded choice stays valid.

words-title = Write down your recovery words
words-what = These 13 words bring your key back if you lose your phone. Write them on paper in this order. Show them to nobody: whoever knows them can see and change your choice. They are Russian words, copy them exactly or use the digits.
words-digits = Write down digits instead of words
words-copy = Copy
words-print = Print
words-written = I have written them down
words-later = Later
words-nag = Your recovery words have not been checked yet. If this browser is cleared or the phone is lost, you will not be able to change your choice.
words-nag-button = Show the words
words-check-title = Let us check what you wrote
words-check-what = Enter three words from your paper.
words-check-wrong = That does not match. Look at your paper again: the number of the word matters.
words-check-submit = Check
words-back = Show the words again

credential-title = Get your right to vote
credential-what = The portal signs blindly: it knows that you live here and vote once, but cannot see which key it signs. Then your browser checks the signature itself and sends it, without a name, to the register of participants.
credential-get = Get my right to vote
group-title = Several organisations must sign
group-what = In this round no single organisation gives the right to vote: the key is divided among several, so that none can give one too many by itself. Confirm at any of the others; you log in there through Gosuslugi as well, and then come back here.
elsewhere-title = Begin at the municipality's portal
elsewhere-what = In this round several organisations give the right to vote together, and everybody begins at the municipality's portal, where your key is made. You come here from there for one more signature.
elsewhere-go = Go to the municipality's portal
co-sign-title = One more signature for your right to vote
co-sign-what = This organisation keeps a part of the round's key. It adds its part of the signature blindly: it learns that you are a resident and vote once, but not on which key the signature stands.
co-sign-login = Log in through Gosuslugi first: every organisation checks for itself that you are a resident.
co-sign-sign = Sign and go back
co-sign-back = To the portal where one begins

wait-title = You are taking part
wait-registered = Your key is in the round's register of participants. You have the right to vote.
wait-look = Look at the initiatives
account-is = Your throw-away account:

ballot-title = Share out your part
ballot-replaces = You have a recorded choice already. The new one replaces it as a whole.
ballot-filter = Find an initiative
ballot-review = Review my choice
confirm-title = Is everything right?
confirm-what = Your browser will now sign this choice. You can change it while choosing is open.
confirm-initiative = Initiative
confirm-part = Part of your share
confirm-amount = Amount
confirm-sign = Sign and send
confirm-back = Change

receipt-title = Done: your choice is recorded
receipt-recorded = Your choice is recorded on the blockchain. This is your receipt.
receipt-account = Throw-away account
receipt-version = Version of the choice
receipt-tx = Transaction
receipt-block = Block
receipt-download = Download the receipt
receipt-print = Print
receipt-change = Change my choice
receipt-warning = The receipt shows what you chose. Do not give or show it to anybody who should not know.

closed-title = You cannot take part now
refused-details = Details for an expert
refused-again = Try again

## Check
check-title = Check my vote
check-what = Your browser itself asks the blockchain what is recorded for your throw-away account and compares it with the receipt. The portal takes no part in it.
check-noscript = The browser does the check, which needs JavaScript. Without it, look up the account from your receipt in the explorer.
check-loading = Asking the blockchain…
check-chain = What the blockchain has recorded
check-source = Who was asked
check-file = A receipt from a file
check-file-label = Receipt file
check-file-hint = If you made the receipt on another device, choose its file. It does not leave your browser.
check-again = Check again
check-to-flow = Take part

## Key
restore-title = My key
restore-have = Your key is in this browser.
restore-rounds = Where you take part
restore-loading = Looking at the blockchain…
restore-none = There are no rounds yet.
restore-manage = Words and deleting
restore-show = Show the recovery words
restore-forget = Delete the key from this browser
restore-forget-what = What you chose stays valid. The key can be brought back by the recovery words alone: first make sure you have them on paper.
restore-forget-button = Delete the key
restore-enter = Bring a key back
restore-what = Enter your 13 recovery words or the digits. They stay in this browser and are not sent to the server.
restore-label = Recovery words
restore-hint = In order, separated by spaces. The first four letters of each word are enough. You can enter the 54 digits instead.
restore-replaces = There is another key in this browser. It will be replaced: make sure you have its words on paper.
restore-submit = Bring it back

## Honestly
honest-title = Honestly about this system
honest-lead = What the system promises, what that rests on, and what it cannot do.
honest-promises = What we promise
honest-promise-money = Only budget money fills the piggy banks: every rouble is recorded in the budget decision and ends as a payment or goes back.
honest-promise-one = One person, one share. Nobody gets a second right to vote in a round, and the blockchain itself checks that.
honest-promise-secret = Your choice cannot be linked to you by anything that is stored: neither by the portal nor by whoever steals every database. The signature is given blindly; we keep neither name nor number.
honest-promise-check = You can check that your vote is recorded as you gave it: your browser does it without our help.
honest-promise-recount = Anybody can recount the result from open data without asking us.
honest-cannot = What the system cannot do
honest-cannot-screen = It does not prevent selling a vote or being forced to show a screen. If somebody threatens you or offers money, tell the police; you can change your choice until choosing ends.
honest-cannot-receipt = The receipt proves your choice to whomever you show it. So you need not download it.
honest-cannot-device = It does not protect you from a virus on your device or from somebody who uses the same browser.
honest-cannot-words = Nobody can bring back lost recovery words. The recorded choice stays, but cannot be changed any more.
honest-cannot-crowd = With very few participants secrecy is weak: if all chose the same, everybody's choice is known. The round's page shows how many take part.
honest-cannot-moment = Our programs record neither addresses nor times. But whoever watches all lines at that very minute could match a login with a message. If that worries you, send your choice later and from another network.
honest-cannot-refuse = The portal could refuse a right to vote. You would see it, it cannot be hidden; then complain to the municipality.
honest-cannot-script = The pages that handle your key come from our server. Changing them unnoticed is hard but possible; the code is open and can be compared.
honest-stored = What is stored where
honest-stored-portal = The portal keeps one line for each right to vote it gave: the round, a mark of the person made with a secret key, and a fingerprint of the blinded message. No time and no order.
honest-stored-browser = Your browser keeps the key, drafts and receipts. You can delete them under “My key”.
honest-stored-chain = The blockchain holds throw-away accounts and their choices, open to all. Whose account it is, is not written there.

## Refusals
error-login-needed = Log in with Gosuslugi: your session has ended or has not begun. Nothing is lost.
error-round-unknown = There is no such round. Check the link.
error-initiative-unknown = This round has no such initiative.
error-document-unknown = There is no such document.
error-other-municipality = Residents of another municipality have the right to vote in this round: we look at the registered address at Gosuslugi.
error-too-young = This round is for another age.
error-age-unknown = Gosuslugi did not tell us the date of birth, so the age is unknown. Check your Gosuslugi profile.
error-class-wrong = The right to vote was asked for another group of citizens than yours. Reload the page.
error-blinded-malformed = The browser's request is damaged ({ $reason }). Reload the page and try again.
error-registration-closed = No rights to vote are given in this round at the moment.
error-first-missing = The portal where one begins signs first. Open the round there.
error-first-wrong = The signature of the portal where one begins does not fit this request. Open the round there and start again.
error-credential-already-issued = You were given a credential in this round already, for another key. A second one cannot be given. If you made it on another device or cleared your browser, bring the key back with your recovery words.
error-issuer-unavailable = Rights to vote cannot be given now: the key of this round is not connected. Please try later.
error-chain-unavailable = The blockchain does not answer at the moment. Try again in a minute.
error-database-unavailable = The database does not answer at the moment. Try again in a minute.
error-staff-closed = Staff requests are switched off in the configuration.
error-staff-token = A staff token is needed: the header Authorization: Bearer …
error-issuer-key-unknown = There is no such issuer key.
error-issuer-key-bound = This key, or this class of the round, is bound to another already. Every round and class has a key of its own.
error-issuer-key-not-on-chain = The chain has another issuer key for this class of the round. Add the class with this key first.
error-issuer-account-missing = The configuration has no issuer account that could publish the numbers.
error-document-malformed = The document will not do: { $reason }. It must be JSON with the keys kind, title, description.

## For scripts
js-copied = Copied
js-word = Word { $number }
js-refused-title = That did not work
js-problem-offline = The server cannot be reached. Check your connection and try again. Nothing is lost.
js-problem-rpc = The blockchain does not answer your browser. Try again in a minute. Nothing is lost.
js-problem-other = The server refused. Try again, or later.
js-problem-slow = Recording takes longer than usual. Your message was accepted and will not be lost: wait, or come back later.
js-problem-account-not-registered = Your key is not in the register of participants yet. Wait a minute and try again.
js-problem-version-not-higher = This choice was replaced by a newer one already, maybe from another device. Reload the page.
js-problem-phase-wrong = The round has gone on to another stage and does not take this message any more. Reload the page.
js-problem-credential-invalid = The register did not accept the right to vote: the signature does not fit the key. Get it once more.
js-problem-signature-invalid = The signature did not fit. Reload the page and try again.
js-problem-funds-exhausted = The money of this round has been shared out among the participants, there are no more shares.
js-problem-queue-full = Too many people at once. Wait a minute and try again: nothing is lost.
js-problem-unavailable = A part of the system does not answer. Try again in a few seconds: nothing is lost.
js-problem-registration-over = Registration ended before your key got into the register. You cannot take part in this round any more.
js-work-credential = Getting your right to vote
js-work-blind = The browser hides the key behind a random number
js-work-issue = The portal signs blindly
js-work-verify = The browser checks the signature with the key from the blockchain
js-work-delay = Waiting a random time, so that moments do not give you away
js-work-register = Sending it to the register without a name or login
js-work-registered = Waiting for the blockchain to record it
js-work-allocation = Sending your choice
js-work-sign = The browser signs
js-work-send = Sending it without a name or login
js-work-recorded = Waiting for the blockchain to record it
js-work-compare = Comparing what is recorded with your choice
js-work-hint = This usually takes less than a minute. You can close the page: what was accepted is not lost.
js-key-differs = Warning: the portal offers a signature by another key than the one on the blockchain. That could be used to mark your vote. We stopped and sent nothing. Tell the municipality and do not go on on this page.
js-signature-wrong = Warning: the portal's signature does not verify with the key from the blockchain. We stopped and sent nothing. Try again; if it happens again, tell the municipality.
js-group-signed = Signed so far: { $signed } of { $needed }.
js-group-go = Sign at { $host }
js-group-wrong = The signature that came from organisation no. { $issuer } ({ $host }) is wrong. Try another organisation, and tell the municipality.
js-group-keys = The organisations' keys that the portal names do not fit the round's key on the chain. We stopped and sent nothing. Please tell the municipality.
js-group-foreign = This page is reached from the portal where one begins. Go back there by the link below and go on there.
js-group-away = This organisation signs nothing in this round now: rights to vote are no longer given, or not yet, or the key is not connected. Go back to the portal where you began and choose another organisation.
js-co-sign-from = Sign only if you yourself have just come here from the portal { $host }. If somebody else sent you the link, close this page. If another person logged in on this device before you, log out first and log in yourself.
js-co-sign-other-key = This organisation has signed already for the person who is logged in now, for another key. If another person logged in on this device before you, log out, log in yourself, and try again. If it was you on another device, go back to the portal where you began and bring the key back with your words.
js-chain-differs = The blockchain node that your browser asked belongs to another network. We stopped so as not to send anything to the wrong place.
js-recorded-differs = The blockchain has recorded something else than you signed: maybe a newer choice came from another device. Check your vote.
js-no-storage = The browser does not let us keep the key (private mode or a ban). Open the page in a normal window, or the key would be lost together with your right to vote.
js-ineligible-municipality = Another municipality runs this round. Those whose registered residence is there take part.
js-ineligible-age = This round is for another age.
js-ineligible-age-unknown = Gosuslugi did not tell us your date of birth. Check your Gosuslugi profile, log out and in again.
js-other-person = Another person's key is in this browser. You will get your own.
js-wait-until = Choosing opens not before { $time }. Come back to this page: you will not need to log in again.
js-wait-soon = Choosing opens when the municipality ends registration. Come back to this page: you will not need to log in again.
js-ballot-cumulative = Your share is { $share }. Spread it over initiatives as you like, all into one if you wish.
js-ballot-approval = Your share is { $share }. Tick the initiatives you support: the share is divided equally among them.
js-ballot-remaining = { $percent } left to share out — { $amount }
js-ballot-all = The whole share is given
js-ballot-chosen = Ticked: { $count }. { $amount } each
js-ballot-none = Nothing is ticked
js-ballot-empty-error = Choose at least one initiative.
js-ballot-minus = Less: { $title }
js-ballot-plus = More: { $title }
js-ballot-slider = Part of the share: { $title }
js-ballot-cost = Costs { $amount }
js-ballot-points = { $percent } of the share
js-ballot-about = About the initiative
js-confirm-rest = Not given: { $percent } — { $amount }. It stays in the common purse and goes back to the budget.
js-confirm-take-back = You take your share back from all piggy banks.
js-closed-not-registered = Registration for this round is over, and your key is not in the register. Watch the piggy banks: everybody will see the result.
js-closed-no-key = There is no key in this browser. If you registered on another device, bring the key back with your words.
js-check-ok = It matches: the blockchain has recorded exactly what the receipt says (version { $version }).
js-check-newer = The blockchain has a newer choice than the receipt: version { $version }. If it was not you, somebody else knows your key.
js-check-differs = It does not match the receipt! Keep the receipt and tell the municipality.
js-check-missing = The blockchain does not have this choice. If you sent it just now, wait a minute and check again.
js-check-no-receipt = There is no receipt for this round here, but there is a key: below is what is recorded for your account.
js-check-registered = Your account is in the register of participants; no choice has been made yet.
js-check-not-registered = Your account is not in this round's register of participants.
js-check-no-key = Your key is not in this browser. Bring it back with your words, or choose a receipt file.
js-check-file-bad = This is not a receipt of Kopilka.
js-check-file-other = This is a receipt of another round.
js-restore-word-count = { $expected } words are needed, you entered { $actual }.
js-restore-unknown-word = Word { $place } (“{ $word }”) is not in the list. { $suggestions }
js-restore-suggestions = Similar: { $words }.
js-restore-digit-count = { $expected } digits are needed, you entered { $actual }.
js-restore-wrong-group = A digit in group { $place } is wrong.
js-restore-checksum = All words are in the list, but they do not fit together: one is another word, or the order is wrong.
js-restore-status-none = did not take part
js-restore-status-registered = has the right to vote, no choice yet
js-restore-status-allocated = choice recorded, version { $version }
js-restore-open = Open
js-restore-done = The key is back.
js-forgotten = The key was deleted from this browser.
