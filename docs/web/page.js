// What is seen. All work is done in a worker: this thread only draws.

const at = (id) => document.getElementById(id);

/** The worker comes out of a blob, so that this page's Content-Security-Policy binds it, too, wherever it is served from. */
const script = `import ${JSON.stringify(new URL("worker.js", import.meta.url).href)};`;
const start = () => {
    const started = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), { type: "module" });
    started.addEventListener("message", ({ data }) => received(data));
    started.addEventListener("error", () => tellReady("This browser did not load the module: it needs WebAssembly and module workers."));
    return started;
};

const waiting = new Map();
let worker = start();
let lastCall = 0;

/** Has the worker do something. `onProgress` is told a share from 0 to 1 and a sentence. */
const call = (act, args, onProgress = () => {}) =>
    new Promise((resolve, reject) => {
        lastCall += 1;
        waiting.set(lastCall, { resolve, reject, onProgress });
        worker.postMessage({ call: lastCall, act, args });
    });

const received = ({ call: number, progress, result, error, ready }) => {
    if (ready) return tellReady("Ready.");
    const waits = waiting.get(number);
    if (!waits) return;
    if (progress) return waits.onProgress(progress);
    waiting.delete(number);
    if (error) waits.reject(Object.assign(new Error(error.message), { code: error.code }));
    else waits.resolve(result);
};

const tellReady = (text) => {
    at("ready").textContent = text;
    for (const id of ["keys-open", "events-open", "media-open"]) at(id).disabled = text !== "Ready.";
};

/** Runs what a form asks for: shows its progress, and what went wrong. */
const run = async (name, act) => {
    const [bar, status, error] = ["progress", "status", "error"].map((part) => at(`${name}-${part}`));
    [bar.hidden, bar.value, status.textContent, error.textContent] = [false, 0, "", ""];
    let said = "";
    try {
        status.replaceChildren(await act(({ share, text }) => {
            bar.value = share;
            // A screen reader hears each stage once, and not each step.
            if (text !== said) status.textContent = said = text;
        }));
    } catch (failure) {
        status.textContent = "";
        error.textContent = sentence(failure);
    } finally {
        bar.hidden = true;
    }
};

const sentence = ({ message }) => `${capital(message)}.`;

/** A link that saves bytes, and says what it saves. */
const saving = (blob, name, text) => {
    const link = document.createElement("a");
    link.className = "save";
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.textContent = text;
    return link;
};

const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

// Files may be dropped anywhere on the box around their input.
for (const box of document.querySelectorAll(".drop")) {
    const input = box.querySelector("input");
    box.addEventListener("dragover", (event) => {
        event.preventDefault();
        box.classList.add("over");
    });
    box.addEventListener("dragleave", () => box.classList.remove("over"));
    box.addEventListener("drop", (event) => {
        event.preventDefault();
        box.classList.remove("over");
        if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
    });
}

// Beside the box a dropped file would replace this page.
for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());

// Key exports.

const PAGE = 100;
/** Rooms that are not to be saved. */
const left = new Set();
let shown = { rooms: 0, sessions: 0, room: null };

at("keys-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = at("keys-file").files;
    const passphrase = at("keys-passphrase").value;
    at("keys-content").hidden = true;
    [at("keys-open").disabled, at("keys-stop").hidden] = [true, false];
    await run("keys", async (onProgress) => {
        const { sessions, rooms, refused, refusedCount } = await call("openKeys", { file, passphrase }, onProgress);
        at("keys-passphrase").value = "";
        left.clear();
        at("keys-filter").value = "";
        at("rooms-all").checked = true;
        showRefused(refused, refusedCount);
        await showRooms(true);
        await showSessions(null, true);
        at("keys-content").hidden = false;
        return `${counted(sessions, "session", "sessions")} in ${counted(rooms, "room", "rooms")}.`;
    });
    [at("keys-open").disabled, at("keys-stop").hidden] = [false, true];
});

at("keys-stop").addEventListener("click", () => {
    worker.terminate();
    // What it held is gone with it.
    at("events-content").hidden = true;
    for (const { reject } of waiting.values()) reject(new Error("stopped"));
    waiting.clear();
    tellReady("Loading …");
    worker = start();
});

const filter = () => at("keys-filter").value.trim();

const showRooms = async (anew) => {
    if (anew) {
        shown.rooms = 0;
        at("rooms").replaceChildren();
    }
    const { rows, total } = await call("rooms", { filter: filter(), from: shown.rooms, count: PAGE });
    shown.rooms += rows.length;
    at("rooms").append(...rows.map(roomRow));
    at("rooms-caption").textContent = `Rooms: ${shown.rooms.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    at("rooms-more").hidden = shown.rooms >= total;
};

const roomRow = ({ roomId, sessions, fromBeginning }) => {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !left.has(roomId);
    box.setAttribute("aria-label", `Save ${roomId}`);
    box.addEventListener("change", () => {
        if (box.checked) left.delete(roomId);
        else left.add(roomId);
        at("rooms-all").checked = left.size === 0;
    });
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = roomId;
    open.addEventListener("click", () => showSessions(roomId, true));
    return row([box, open, sessions.toLocaleString("en"), fromBeginning.toLocaleString("en")]);
};

const showSessions = async (room, anew) => {
    if (anew) {
        [shown.room, shown.sessions] = [room, 0];
        at("sessions").replaceChildren();
    }
    const { rows, total } = await call("sessions", { room: shown.room, filter: filter(), from: shown.sessions, count: PAGE });
    shown.sessions += rows.length;
    at("sessions").append(...rows.map(({ sessionId, firstKnownIndex, senderKey }) => row([sessionId, String(firstKnownIndex), senderKey])));
    const where = shown.room === null ? "of all rooms" : `of ${shown.room}`;
    at("sessions-caption").textContent = `Sessions ${where}: ${shown.sessions.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    at("sessions-more").hidden = shown.sessions >= total;
};

const row = (cells) => {
    const tr = document.createElement("tr");
    for (const cell of cells) {
        const td = document.createElement("td");
        td.append(cell);
        tr.append(td);
    }
    return tr;
};

const showRefused = (refused, count) => {
    at("refused-box").hidden = count === 0;
    at("refused-title").textContent = `${counted(count, "entry is", "entries are")} no session`;
    at("refused").replaceChildren(...refused.map(({ position, error }) => {
        const item = document.createElement("li");
        item.textContent = `Entry ${position + 1}: ${error}`;
        return item;
    }));
};

at("rooms-more").addEventListener("click", () => showRooms(false));
at("sessions-more").addEventListener("click", () => showSessions(shown.room, false));

let typing;
at("keys-filter").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(async () => {
        await showRooms(true);
        await showSessions(null, true);
    }, 200);
});

at("rooms-all").addEventListener("change", async ({ target }) => {
    left.clear();
    if (!target.checked) for (const roomId of await call("roomIds", {})) left.add(roomId);
    await showRooms(true);
});

at("save-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const passphrase = at("save-passphrase").value;
    at("save").disabled = true;
    await run("save", async (onProgress) => {
        if (passphrase !== at("save-again").value) throw new Error("the two passphrases are not the same");
        const { blob, sessions } = await call("saveKeys", { passphrase, left: [...left] }, onProgress);
        for (const id of ["save-passphrase", "save-again"]) at(id).value = "";
        return saving(blob, "element-keys.txt", `Save ${counted(sessions, "session", "sessions")}`);
    });
    at("save").disabled = false;
});

// Exported events.

const EVENTS = 50;
const MEANING = {
    decrypted: "by a key of the file for this room",
    "not encrypted": "it came in clear",
    redacted: "nothing is left of it",
    "no key": "the key export has no key for it",
    "index before the first known one": "the key in the export begins behind it",
    "bad MAC or signature": "changed on its way or made up, or the key is",
    "replayed index": "the same message stood in another event before",
    "wrong room": "event, message and key are not of one room",
    "other algorithm": "encrypted, but not as messages in rooms are",
    malformed: "not what an event must be",
};
const GOOD = new Set(["decrypted", "not encrypted", "redacted"]);
let firstEvent = 0;

at("events-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = at("events-file").files;
    const room = at("events-default").value.trim();
    at("events-content").hidden = true;
    // The keys are in use: another file would take them away.
    for (const id of ["events-open", "keys-open", "save"]) at(id).disabled = true;
    at("events-stop").hidden = false;
    await run("events", async (onProgress) => {
        const { counts, kept, contradicting } = await call("openEvents", { file, room }, onProgress);
        for (const part of ["status", "error"]) at(`lines-${part}`).textContent = "";
        at("events-room").value = "";
        showSummary(counts);
        await showEvents(0);
        at("events-content").hidden = false;
        const total = counts.reduce((sum, [, count]) => sum + count, 0);
        const passedOver = contradicting === 0 ? "" : ` ${counted(contradicting, "key was", "keys were")} passed over: four others contradict each of them.`;
        return `${counted(total, "event", "events")}; ${counted(kept, "key", "keys")} of the key export ${kept === 1 ? "was" : "were"} needed.${passedOver}`;
    });
    for (const id of ["events-open", "keys-open", "save"]) at(id).disabled = false;
    at("events-stop").hidden = true;
});

at("events-stop").addEventListener("click", () => call("stop", {}));

const showSummary = (counts) => {
    at("events-summary").replaceChildren(...counts.map(([verdict, count]) =>
        row([capital(verdict), count.toLocaleString("en"), MEANING[verdict]])));
    const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
    at("events-verdict").replaceChildren(option("", "any"), ...counts.map(([verdict]) => option(verdict, verdict)));
};

const chosen = () => ({ verdict: at("events-verdict").value, room: at("events-room").value.trim() });

const showEvents = async (from) => {
    const { rows, total } = await call("events", { ...chosen(), from, count: EVENTS });
    firstEvent = from;
    const list = at("events");
    list.replaceChildren(...rows.map(eventItem));
    list.start = from + 1;
    const number = (value) => value.toLocaleString("en");
    at("events-where").textContent = total === 0 ? "No event is like that." : `Events ${number(from + 1)} to ${number(from + rows.length)} of ${number(total)}`;
    // A button that has the focus must not lose it at the end of the list.
    for (const [id, isEnd] of [["events-back", from === 0], ["events-next", from + rows.length >= total]]) at(id).setAttribute("aria-disabled", isEnd);
    at("events-save").disabled = total === 0;
};

const eventItem = ({ number, at: place, verdict, why, sender, roomId, time, type, body }) => {
    const item = document.createElement("li");
    const head = element("p", "", element("strong", GOOD.has(verdict) ? "good" : "bad", capital(verdict)), ` · ${place}`);
    if (time !== null) head.append(" · ", Object.assign(element("time", "", new Date(time).toLocaleString("en")), { dateTime: new Date(time).toISOString() }));
    item.append(head);
    const said = element("p", "said");
    if (sender !== null) said.append("Said to be from ", element("bdi", "", sender));
    if (roomId !== null) said.append(sender === null ? "In " : " in ", element("bdi", "", roomId));
    if (type !== null) said.append(said.hasChildNodes() ? " · " : "", element("bdi", "", type));
    if (said.hasChildNodes()) item.append(said);
    if (why !== null) item.append(element("p", "", "Why: ", element("bdi", "", why)));
    if (body !== null) item.append(Object.assign(element("p", "body", body), { dir: "auto" }));
    const json = element("pre", "");
    const details = element("details", "", element("summary", "", "All that is known of it, as JSON"), json);
    details.addEventListener("toggle", async () => {
        if (details.open && json.textContent === "") json.textContent = await call("eventJson", { number });
    });
    item.append(details);
    return item;
};

/** What comes out of files is text here, and never markup. */
const element = (name, className, ...content) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...content);
    return made;
};

const capital = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const turn = async (button, by) => {
    if (button.getAttribute("aria-disabled") === "true") return;
    await showEvents(Math.max(0, firstEvent + by));
    at("events").scrollIntoView();
};
at("events-back").addEventListener("click", ({ currentTarget }) => turn(currentTarget, -EVENTS));
at("events-next").addEventListener("click", ({ currentTarget }) => turn(currentTarget, EVENTS));
at("events-verdict").addEventListener("change", () => showEvents(0));
let typingRoom;
at("events-room").addEventListener("input", () => {
    clearTimeout(typingRoom);
    typingRoom = setTimeout(() => showEvents(0), 200);
});

at("events-save").addEventListener("click", () => run("lines", async () => {
    const { blob, count } = await call("saveEvents", chosen());
    return saving(blob, "events.jsonl", `Save ${counted(count, "event", "events")}`);
}));

// Attachments.

at("media-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = at("media-file").files;
    const [json, lenient] = [at("media-json").value, at("media-lenient").checked];
    at("media-open").disabled = true;
    await run("media", async (onProgress) => {
        const { blob, name } = await call("openMedia", { file, json, lenient }, onProgress);
        return saving(blob, name, `Save ${name} (${counted(blob.size, "byte", "bytes")})`);
    });
    at("media-open").disabled = false;
});
