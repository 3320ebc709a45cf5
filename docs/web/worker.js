// What is done, away from the thread that draws. No request leaves it once the module is loaded.
import init, * as mx from "./mx_wasm.js";

/** Rounds, chunks of 36 kB, entries and bytes between two words to the page: some tens of milliseconds each. */
const [ROUNDS, CHUNKS, ENTRIES, PIECE] = [20_000, 50, 1_000, 1 << 20];
/** Entries that are no sessions are named up to here, and counted beyond. */
const MAX_REFUSED = 100;

/** Events between two words: about as long. */
const EVENTS = 200;

/** The key export that is open: its file, keys, sessions, and rooms in the order in which they came. */
let open = null;

/** The events that were judged: one line of JSON each, in a blob, which the browser need not keep in memory; where each ends, its verdict and
    its room, by their numbers. */
let judged = null;
let isStopped = false;

const acts = {
    openKeys({ file, passphrase }, progress) {
        close();
        const header = new mx.KeyExportFile(readAt(file));
        const keys = derive(header.derive(passphrase), "Making the keys of the file", progress, 0, 0.5);
        header.free();
        let reader;
        try {
            const [sessions, rooms, refused] = [[], new Map(), []];
            let refusedCount = 0;
            reader = verified(file, keys, progress, 0.5, 0.75);
            for (let rows; (rows = reader.summaries(ENTRIES)); ) {
                for (const row of rows) {
                    if (row.error !== undefined) {
                        refusedCount += 1;
                        if (refused.length < MAX_REFUSED) refused.push(row);
                        continue;
                    }
                    sessions.push(row);
                    const room = rooms.get(row.roomId) ?? { roomId: row.roomId, sessions: 0, fromBeginning: 0 };
                    room.sessions += 1;
                    room.fromBeginning += row.firstKnownIndex === 0 ? 1 : 0;
                    rooms.set(row.roomId, room);
                }
                progress("Reading sessions", 0.75 + 0.25 * lastRead.share);
            }
            open = { file, keys, sessions, rooms, found: null };
            return { sessions: sessions.length, rooms: rooms.size, refused, refusedCount };
        } catch (error) {
            keys.free();
            throw error;
        } finally {
            reader?.free();
        }
    },

    rooms({ filter, from, count }) {
        const rows = [...found(filter).rooms.values()];
        return { rows: rows.slice(from, from + count), total: rows.length };
    },

    roomIds() {
        return [...open.rooms.keys()];
    },

    sessions({ room, filter, from, count }) {
        const rows = found(filter).sessions.filter(({ roomId }) => room === null || roomId === room);
        return { rows: rows.slice(from, from + count), total: rows.length };
    },

    saveKeys({ passphrase, left }, progress) {
        const without = new Set(left);
        const rooms = [...open.rooms.keys()].filter((roomId) => !without.has(roomId));
        if (rooms.length === 0) throw Object.assign(new Error("choose at least one room"), { code: "NoRooms" });
        const keys = derive(mx.KeyDerivation.forNewFile(passphrase), "Making the keys of the new file", progress, 0, 0.4);
        const parts = [];
        const writer = new mx.KeyExportWriter(keys, (bytes) => parts.push(bytes));
        const reader = verified(open.file, open.keys, progress, 0.4, 0.6);
        try {
            // All of them are copied as they stand, also entries that are no sessions of ours.
            if (without.size > 0) reader.select({ rooms });
            let done = false;
            while (!done) {
                ({ done } = reader.copyTo(writer, ENTRIES));
                progress("Writing the new file", 0.6 + 0.4 * lastRead.share);
            }
            const { sessions } = writer;
            writer.finish();
            return { blob: new Blob(parts, { type: "text/plain" }), sessions };
        } finally {
            for (const used of [reader, writer, keys]) used.free();
        }
    },

    async openEvents({ file, room }, progress) {
        if (open === null) throw Object.assign(new Error("open the key export first: it has the keys of these events"), { code: "NoKeys" });
        [judged, isStopped] = [null, false];
        const history = new mx.RoomHistory(readAt(file), room === "" ? undefined : room);
        let reader;
        try {
            while (!history.look(EVENTS * 5)) await pause(progress, "Looking which keys the events need", 0.2 * lastRead.share);
            reader = new mx.KeyExportFile(readAt(open.file)).read(open.keys);
            while (!reader.verify(CHUNKS)) await pause(progress, "Checking the key export", 0.2 + 0.2 * lastRead.share);
            let contradicting = 0;
            for (let step = {}; !step.done; contradicting += step.contradicting) {
                step = history.keep(reader, ENTRIES);
                await pause(progress, "Reading their keys", 0.4 + 0.2 * lastRead.share);
            }
            const found = { parts: [], ends: [], verdicts: [], rooms: [], roomNumbers: new Map() };
            for (let rows; (rows = history.judge(EVENTS)); ) {
                take(found, rows);
                await pause(progress, "Decrypting", 0.6 + 0.4 * lastRead.share);
            }
            const { parts, ends, verdicts, rooms, roomNumbers } = found;
            judged = { lines: new Blob(parts), ends, verdicts, rooms, roomIds: [...roomNumbers.keys()], chosen: null };
            return { counts: history.counts, kept: history.kept, contradicting };
        } finally {
            reader?.free();
            history.free();
        }
    },

    stop() {
        isStopped = true;
    },

    events({ verdict, room, from, count }) {
        const numbers = chosenEvents(verdict, room);
        const rows = numbers.slice(from, from + count).map((number) => {
            const { at, why, claimed_sender, event } = JSON.parse(line(number));
            const ts = event?.origin_server_ts;
            // What no date can be is no time.
            const time = typeof ts === "number" && Math.abs(ts) <= 8.64e15 ? ts : null;
            const roomId = shown(judged.roomIds[judged.rooms[number]]);
            const [sender, type, body] = [claimed_sender, event?.type, event?.content?.body].map(shown);
            return { number, at, verdict: VERDICTS[judged.verdicts[number]], why: shown(why), sender, roomId, time, type, body };
        });
        return { rows, total: numbers.length };
    },

    eventJson({ number }) {
        return line(number);
    },

    saveEvents({ verdict, room }) {
        const { lines, ends } = judged;
        const [numbers, parts] = [chosenEvents(verdict, room), []];
        for (let at = 0; at < numbers.length; ) {
            const first = at;
            // Those that follow each other in the file go together.
            while (numbers[at + 1] === numbers[at] + 1) at += 1;
            parts.push(lines.slice(numbers[first] === 0 ? 0 : ends[numbers[first] - 1], ends[numbers[at]]));
            at += 1;
        }
        return { blob: new Blob(parts, { type: "application/jsonl" }), count: numbers.length };
    },

    openMedia({ file, json, lenient }, progress) {
        const { described, name } = describe(json);
        const description = new mx.AttachmentDescription(JSON.stringify(described), lenient);
        try {
            // The hash of all of it first: nothing is decrypted of a file that is not the one described.
            const verifier = description.verifier();
            pieces(file, (piece) => verifier.update(piece), (share) => progress("Checking the file", share / 2));
            verifier.finish();
            const [decryptor, parts] = [description.decryptor(), []];
            pieces(file, (piece) => parts.push(decryptor.update(piece)), (share) => progress("Decrypting", (1 + share) / 2));
            decryptor.finish();
            return { blob: new Blob(parts, { type: "application/octet-stream" }), name };
        } finally {
            description.free();
        }
    },
};

const VERDICTS = [
    "decrypted", "not encrypted", "redacted", "no key", "index before the first known one", "bad MAC or signature", "replayed index",
    "wrong room", "other algorithm", "malformed",
];

/** Adds what was judged to what was found. */
const take = ({ parts, ends, verdicts, rooms, roomNumbers }, rows) => {
    const lines = rows.map(({ line }) => encoder.encode(`${line}\n`));
    let end = ends.at(-1) ?? 0;
    rows.forEach(({ verdict, roomId }, row) => {
        end += lines[row].length;
        ends.push(end);
        verdicts.push(VERDICTS.indexOf(verdict));
        if (roomId !== undefined && !roomNumbers.has(roomId)) roomNumbers.set(roomId, roomNumbers.size);
        rooms.push(roomId === undefined ? -1 : roomNumbers.get(roomId));
    });
    parts.push(new Blob(lines));
};
const encoder = new TextEncoder();

/** What is shown of a text, if it is one. The whole stands in the line. */
const shown = (value) => {
    if (typeof value !== "string") return null;
    return value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)} …` : value;
};
const MAX_SHOWN = 2_000;

/** The line of an event, without its end. */
const line = (number) => {
    const { lines, ends } = judged;
    return new FileReaderSync().readAsText(lines.slice(number === 0 ? 0 : ends[number - 1], ends[number] - 1));
};

/** The numbers of the events with a verdict, in rooms whose IDs contain a text; found once for each choice. */
const chosenEvents = (verdict, room) => {
    // A filter may be typed while other events are opened.
    if (judged === null) return [];
    const { verdicts, rooms, roomIds, chosen } = judged;
    if (chosen?.verdict === verdict && chosen.room === room) return chosen.numbers;
    const fits = roomIds.map((roomId) => roomId.includes(room));
    const numbers = [];
    for (let number = 0; number < verdicts.length; number += 1) {
        const isRoom = room === "" || (fits[rooms[number]] ?? false);
        if (isRoom && (verdict === "" || VERDICTS[verdicts[number]] === verdict)) numbers.push(number);
    }
    judged.chosen = { verdict, room, numbers };
    return numbers;
};

/** Says how far the work is, and lets in what was asked for meanwhile. */
const pause = async (progress, text, share) => {
    progress(text, share);
    await new Promise((resolve) => setTimeout(resolve));
    if (isStopped) throw Object.assign(new Error("stopped"), { code: "Stopped" });
};

const close = () => {
    open?.keys.free();
    open = null;
};

/** How far a file was read last, for the bar. */
const lastRead = { share: 0 };

/** Reads a file that the browser holds, a part at a time: more than is asked for, because each time costs. */
const readAt = (file) => {
    const reader = new FileReaderSync();
    let [begin, held] = [0, new Uint8Array()];
    return (position, length) => {
        lastRead.share = file.size === 0 ? 1 : Math.min(1, position / file.size);
        if (position < begin || position + length > begin + held.length) {
            const end = position + Math.max(length, PIECE);
            [begin, held] = [position, new Uint8Array(reader.readAsArrayBuffer(file.slice(position, end)))];
        }
        return held.subarray(position - begin, position - begin + length);
    };
};

const derive = (derivation, text, progress, from, to) => {
    const { rounds } = derivation;
    let remaining = rounds;
    while (remaining > 0) {
        progress(text, from + (to - from) * (1 - remaining / rounds));
        remaining = derivation.step(ROUNDS);
    }
    return derivation.finish();
};

const verified = (file, keys, progress, from, to) => {
    const reader = new mx.KeyExportFile(readAt(file)).read(keys);
    while (!reader.verify(CHUNKS)) progress("Checking the file", from + (to - from) * lastRead.share);
    return reader;
};

const pieces = (file, take, progress) => {
    const read = readAt(file);
    for (let position = 0; position < file.size; position += PIECE) {
        take(read(position, PIECE));
        progress(Math.min(1, (position + PIECE) / file.size));
    }
};

/** The sessions and rooms that a text filters, found once for each text. */
const found = (filter) => {
    if (filter === "") return open;
    if (open.found?.filter === filter) return open.found;
    const sessions = open.sessions.filter((session) =>
        [session.roomId, session.sessionId, session.senderKey].some((text) => text.includes(filter)));
    const rooms = new Map(sessions.map(({ roomId }) => [roomId, open.rooms.get(roomId)]));
    open.found = { filter, sessions, rooms };
    return open.found;
};

/** Where the description of a file stands: in an event, in its content, or by itself; and what the file is called. */
const describe = (json) => {
    let object;
    try {
        object = JSON.parse(json);
    } catch {
        throw Object.assign(new Error("the event is not JSON"), { code: "Json" });
    }
    const content = object?.content ?? object;
    const described = content?.file ?? (content?.key ? content : content?.info?.thumbnail_file);
    if (!described) {
        throw Object.assign(new Error("there is no encrypted file in it; paste a decrypted event, its content, or the object `file`"), { code: "NoFile" });
    }
    const called = content.filename ?? content.body;
    // A name, and no path.
    const name = typeof called === "string" ? called.split(/[/\\]/).at(-1).replace(/\p{C}/gu, "").slice(0, 100) : "";
    return { described, name: name || "attachment" };
};

addEventListener("message", async ({ data: { call, act, args } }) => {
    const progress = (text, share) => postMessage({ call, progress: { text, share } });
    try {
        postMessage({ call, result: await acts[act](args, progress) });
    } catch (error) {
        postMessage({ call, error: { message: error.message, code: error.code } });
    }
});

await init();
postMessage({ ready: true });
