// The same as ends.py, on node's net and tls; begins once its input ends.
//
//   node ends.js PORT ROWS [CERTIFICATE KEY]
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const PART = 20000;
const [port, rows] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const [certificate, key] = process.argv.slice(4).map((path) => fs.readFileSync(path));
const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const closed = (connection) => new Promise(
    (resolve) => connection.closed ? resolve() : connection.once('close', resolve));
const whole = Buffer.alloc(PART, 'x');

function encode(framing, piece) {
  return framing === 'chunked' ?
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) :
      piece;
}

// Writes, in order: the head with a short body, or the head and then each part.
function answer(status, framing, parts) {
  const pieces = parts ? Array(parts).fill(whole) : [Buffer.from('hello')];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const header = {
    length: `Content-Length: ${length}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
    close: '',
    none: 'Content-Length: 0\r\n'
  }[framing];
  const head = Buffer.from(`HTTP/1.1 ${status} Told\r\n${header}\r\n`);
  if (framing === 'none') return [head];
  const writes = [head, ...pieces.map((piece) => encode(framing, piece))];
  if (framing === 'chunked') writes.push(Buffer.from('0\r\n\r\n'));
  return parts ? writes : [Buffer.concat(writes)];
}

function isWhole(framing, parts, data, atEnd) {
  if (framing === 'close') return atEnd;
  const at = data.indexOf('\r\n\r\n');
  if (at < 0 || framing === 'none') return at >= 0;
  const body = data.subarray(at + 4);
  return framing === 'chunked' ? body.toString('latin1').endsWith('0\r\n\r\n') :
                                 body.length === (parts * PART || 5);
}

function cutInTwo(writes) {
  return writes.length > 1 ? writes.slice(0, Math.floor(writes.length / 2) + 1) :
                             [writes[0].subarray(0, -3)];
}

const write = (connection, piece) => new Promise((resolve) => connection.write(piece, resolve));

async function serve(raw, [status, framing, end, parts]) {
  raw.setNoDelay();
  const connection = !certificate ? raw : new tls.TLSSocket(raw, {
    isServer: true, secureContext: tls.createSecureContext({cert: certificate, key}),
    allowHalfOpen: true
  });
  connection.on('error', () => {});
  let data = '', ended = false;
  connection.on('end', () => { ended = true; });
  await new Promise((resolve) => connection.on('data', (piece) => {
    data += piece;
    if (data.includes('\r\n\r\n')) resolve();
  }));
  while (end === 'half_close' && !ended) await after(1);
  const isCut = end.startsWith('cut');
  const writes = answer(status, framing, parts);
  for (const piece of isCut ? cutInTwo(writes) : writes) {
    await write(connection, piece);
    await after(1);
  }
  const closes = closed(connection);
  if (end === 'shutdown') connection.end();
  if (['client_closes', 'reset', 'shutdown'].includes(end)) {
    while (!ended && !connection.destroyed) await after(1);
  }
  if (end === 'cut_reset') {
    await after(10);  // lets the client read what there is
    raw.resetAndDestroy();
  }
  connection.destroy();
  await closes;
  return !isCut;
}

async function ask([, framing, end, parts]) {
  const raw = net.connect({port, host: '127.0.0.1', allowHalfOpen: true});
  const connection =
      !certificate ? raw : tls.connect({socket: raw, rejectUnauthorized: false, allowHalfOpen: true});
  let data = Buffer.alloc(0), atEnd = false;
  connection.on('error', () => {});
  const closes = closed(connection);
  await new Promise((resolve) => connection.once(certificate ? 'secureConnect' : 'connect', resolve));
  connection.write(`GET /${end} HTTP/1.1\r\nHost: test\r\n\r\n`);
  if (end === 'half_close') connection.end();
  if (end === 'fin_with_data') await after(30);
  const stops = ['client_closes', 'reset', 'fin_with_data'].includes(end);
  await new Promise((resolve) => {
    connection.on('data', (piece) => {
      data = Buffer.concat([data, piece]);
      if (stops && isWhole(framing, parts, data, false)) resolve();
    });
    connection.on('end', () => { atEnd = true; resolve(); });
    connection.on('close', resolve);
  });
  if (end === 'reset') raw.resetAndDestroy();
  connection.destroy();
  await closes;
  return isWhole(framing, parts, data, atEnd);
}

async function main() {
  const told = {};
  let accepted;
  const listener = net.createServer({allowHalfOpen: true, pauseOnConnect: false},
                                    (raw) => accepted(raw));
  await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
  for (const row of rows) {
    const server = new Promise((resolve) => { accepted = resolve; });
    const served = server.then((raw) => serve(raw, row));
    const got = await ask(row);
    told[row[0]] = [await served, got];
  }
  listener.close();
  console.log(JSON.stringify(told));
}

process.stdin.resume();
process.stdin.on('end', main);
