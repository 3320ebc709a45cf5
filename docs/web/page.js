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
    for (const id of ["keys-open", "media-open"]) at(id).disabled = text !== "Ready.";
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

const sentence = ({ message }) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;

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
