// What the pages do: @moq/net as it is published, over WebTransport alone.
import * as Moq from "@moq/net";

const open = new Map();

async function connect({ page, url, hash }) {
  const connection = await Moq.Connection.connect(new URL(url), {
    websocket: { enabled: false },
    webtransport: { serverCertificateHashes: [{ value: hash }] },
  });
  open.set(page, { connection });
  return connection.version;
}

// Offers a track. Once somebody asks for it, a group with an empty frame says that it stands: what is
// written before a subscription is accepted, but for the newest group, is not a subscriber's.
async function publish({ page, path, track }) {
  const state = open.get(page);
  state.broadcast = new Moq.Broadcast.Producer();
  state.connection.publish(Moq.Path.from(path), state.broadcast);
  state.producer = state.broadcast.requested().then((request) => {
    if (request.name !== track) throw new Error(`asked for ${request.name}`);
    const producer = request.accept();
    append(producer, [""]);
    return producer;
  });
}

function append(producer, frames) {
  const group = producer.appendGroup();
  for (const frame of frames) {
    const payload = Uint8Array.from(atob(frame), (c) => c.charCodeAt(0));
    group.writeFrame({ payload, timestamp: Moq.Time.Timestamp.now() });
  }
  group.close();
}

// Writes groups of frames in base64.
async function write({ page, groups }) {
  const producer = await open.get(page).producer;
  for (const frames of groups) append(producer, frames);
}

// Ends the track; it says that it opened no stream, so only once what was written has come.
async function finish({ page }) {
  const producer = await open.get(page).producer;
  producer.close();
}

// Waits for the announcement and subscribes.
async function subscribe({ page, path, track }) {
  const state = open.get(page);
  const announced = state.connection.announced();
  for (;;) {
    const event = await announced.next();
    if (!event) throw new Error("the announcements ended");
    if (event.path === path && event.active) break;
  }
  state.subscriber = state.connection.consume(Moq.Path.from(path)).track(track).subscribe();
}

// The next groups: number and frames in base64.
async function read({ page, count }) {
  const groups = [];
  while (groups.length < count) {
    const group = await open.get(page).subscriber.recvGroup();
    if (!group) throw new Error(`the track ended after ${groups.length} groups`);
    const frames = [];
    for (;;) {
      const frame = await group.readFrame();
      if (!frame) break;
      frames.push(btoa(String.fromCharCode(...frame.payload)));
    }
    groups.push([group.sequence, frames]);
  }
  return groups;
}

// Closes the connection and answers once it is closed.
async function close({ page }) {
  const { connection } = open.get(page);
  connection.close();
  await connection.closed;
}

globalThis.peer = { connect, publish, write, finish, subscribe, read, close };
