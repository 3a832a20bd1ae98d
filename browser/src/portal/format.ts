// Money, parts and times as the reader's language writes them. Amounts are kopecks and stay whole numbers.

function language(): string {
    return document.documentElement.lang === "en" ? "en" : "ru";
}

/** `1 234,56 ₽`, whole roubles without kopecks; `₽1,234.56` in English. */
export function money(kopecks: bigint, lang = language()): string {
    const roubles = kopecks / 100n;
    const rest = kopecks % 100n;
    const [group, point] = lang === "en" ? [",", "."] : ["\u00a0", ","];
    const grouped = roubles.toString().replace(/\B(?=(\d{3})+$)/g, group);
    const number = rest === 0n ? grouped : `${grouped}${point}${rest.toString().padStart(2, "0")}`;
    return lang === "en" ? `₽${number}` : `${number}\u00a0₽`;
}

/** `12,5 %` of a whole, at most two decimals, rounded down; `12.5%` in English. */
export function percent(part: number, whole: number, lang = language()): string {
    const hundredths = whole === 0 ? 0 : Math.floor((part * 10_000) / whole);
    const digits = (hundredths / 100).toFixed(2).replace(/\.?0+$/, "");
    return lang === "en" ? `${digits}%` : `${digits.replace(".", ",")}\u00a0%`;
}

/** Day and minute in the reader's own time zone. */
export function dateTime(unixSeconds: number, lang = language()): string {
    return new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "ru-RU", { dateStyle: "long", timeStyle: "short" }).format(
        unixSeconds * 1000,
    );
}
