// Checks the messages of each site (crates/web holds what they share):
//   - both languages define the same keys with the same placeholders,
//   - every key that code or a template asks for exists, every key that exists is asked for somewhere,
//   - no template holds a sentence of its own.
// A key counts as asked for where it stands as a string literal in Rust or as a `text("…")` in a template. Where code names a
// family of keys by their beginning ("js-", "phase-{phase}"), all of the family count; where it names them by their ending
// ("{notice}-title", "{notice}-{part}"), those whose beginning is a literal.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const shared = "crates/web";
const sites = ["explorer", "portal"].filter((site) => existsSync(join(site, "locales")));
const languages = ["ru", "en"];
const faults = [];

/** All files below a folder with an ending. */
function files(folder, ending) {
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
        .map((entry) => join(entry.parentPath, entry.name));
}

/** Keys of a Fluent file with the placeholders of each. */
function messages(path) {
    const found = new Map();
    let key;
    for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
        const start = /^([a-zA-Z][\w-]*)\s*=/.exec(line);
        if (start) {
            key = start[1];
            if (found.has(key)) faults.push(`${path}:${index + 1}: ${key} is defined twice`);
            found.set(key, new Set());
        } else if (/^\S/.test(line) && !/^[#}]/.test(line)) {
            faults.push(`${path}:${index + 1}: this line belongs to no message`);
        }
        if (key) for (const [, name] of line.matchAll(/\$([\w-]+)/g)) found.get(key).add(name);
    }
    return found;
}

function localesOf(folder) {
    const byLanguage = languages.map((language) => {
        const paths = files(join(folder, "locales"), ".ftl").filter((path) =>
            new RegExp(`locales/${language}(/|\\.ftl$)`).test(path),
        );
        return new Map(paths.flatMap((path) => [...messages(path)]));
    });
    const [first, ...others] = byLanguage;
    for (const [place, other] of others.entries()) {
        const [a, b] = [languages[0], languages[place + 1]];
        for (const key of first.keys()) if (!other.has(key)) faults.push(`${folder}: ${key} is in ${a} but not in ${b}`);
        for (const key of other.keys()) if (!first.has(key)) faults.push(`${folder}: ${key} is in ${b} but not in ${a}`);
        for (const [key, names] of first) {
            const theirs = other.get(key);
            if (theirs && [...names].sort().join() !== [...theirs].sort().join()) {
                faults.push(`${folder}: placeholders of ${key} differ: ${[...names].join(", ")} in ${a}, ${[...theirs].join(", ")} in ${b}`);
            }
        }
    }
    return first;
}

/** Keys that must exist, and every literal that may be one. */
function uses(folder) {
    const asked = new Map();
    const mentioned = new Set();
    const families = new Set();
    const endings = new Set();
    let parted = false;
    const take = (key, path) => {
        mentioned.add(key);
        if (!asked.has(key)) asked.set(key, path);
    };
    for (const path of [...files(join(folder, "templates"), ".html"), ...files(join(folder, "src"), ".rs")]) {
        let text = readFileSync(path, "utf8");
        // Unit tests bring their own messages, comments their own examples.
        if (path.endsWith(".rs")) text = text.split("\n#[cfg(test)]\nmod tests {")[0].replace(/^\s*\/\/.*$/gm, "");
        for (const [, key] of text.matchAll(/\btext\(\s*"([a-z][\w-]*)"/g)) take(key, path);
        for (const [, key] of text.matchAll(/WebError::\w+\(\s*"([a-z][\w-]*)"/g)) take(key, path);
        for (const [, key] of text.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"/g)) mentioned.add(key);
        for (const [, family] of text.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)*-)(?:\{[^"]*)?"/g)) families.add(family);
        for (const [, ending] of text.matchAll(/"\{[^"]*\}(-[a-z0-9-]+)"/g)) endings.add(ending);
        parted ||= /"\{\w*\}-\{\w*\}"/.test(text);
    }
    const isMentioned = (key) =>
        mentioned.has(key) ||
        (parted && mentioned.has(key.slice(0, key.lastIndexOf("-")))) ||
        [...families].some((family) => key.startsWith(family)) ||
        [...endings].some((ending) => key.endsWith(ending) && mentioned.has(key.slice(0, -ending.length)));
    return { asked, isMentioned };
}

/** Words between the tags of a template that no message holds. */
function rawTexts(folder) {
    for (const path of files(join(folder, "templates"), ".html")) {
        const bare = readFileSync(path, "utf8")
            .replace(/\{#[\s\S]*?#\}|\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g, " ")
            .replace(/<!--[\s\S]*?-->|<(pre|code|style|script)\b[\s\S]*?<\/\1>/g, " ");
        for (const [, text] of bare.matchAll(/>([^<]*)</g)) {
            if (/\p{L}{2,}/u.test(text.replace(/&\w+;/g, ""))) faults.push(`${path}: “${text.trim()}” is no message`);
        }
        for (const [, name, text] of bare.matchAll(/\b(aria-label|title|alt|placeholder)="([^"]*)"/g)) {
            if (/\p{L}{2,}/u.test(text)) faults.push(`${path}: ${name} “${text}” is no message`);
        }
    }
}

const common = localesOf(shared);
const commonUses = uses(shared);
const everywhere = [commonUses.isMentioned];
rawTexts(shared);
for (const [key, path] of commonUses.asked) if (!common.has(key)) faults.push(`${path}: ${key} is missing in ${shared}/locales`);
for (const site of sites) {
    const own = localesOf(site);
    const { asked, isMentioned } = uses(site);
    rawTexts(site);
    for (const [key, path] of asked) if (!own.has(key) && !common.has(key)) faults.push(`${path}: ${key} is missing in ${site}/locales`);
    for (const key of own.keys()) {
        if (common.has(key)) faults.push(`${site}: ${key} is a message of ${shared} already`);
        if (!isMentioned(key)) faults.push(`${site}: ${key} is used nowhere`);
    }
    everywhere.push(isMentioned);
}
for (const key of common.keys()) if (!everywhere.some((isMentioned) => isMentioned(key))) faults.push(`${shared}: ${key} is used nowhere`);

for (const fault of faults) console.error(fault);
if (faults.length > 0) {
    console.error(`i18n: ${faults.length} faults`);
    process.exit(1);
}
console.log(`i18n: ${[shared, ...sites].join(", ")} agree in ${languages.join(" and ")}`);
