// WebSockets on streams of one HTTP/2 connection (RFC 8441): chat.js PORT TUNNELS REQUESTS
// Opens so many tunnels one after another, as many beside each other, and as many that are refused;
// asks as often for /ok before, between and beside them. Prints how often each method had which status,
// and how many messages came back.
const http2 = require('http2');

const [port, tunnels, requests] = process.argv.slice(2).map(Number);
const session = http2.connect(`http://127.0.0.1:${port}`);
const told = { echoed: 0 };

function note(method, status) {
  const key = `${method} ${status}`;
  told[key] = (told[key] || 0) + 1;
}

function get() {
  const stream = session.request({ ':path': '/ok' });
  stream.on('response', (head) => note('GET', head[':status']));
  stream.resume();
  return new Promise((done) => stream.on('close', done));
}

// A client's frame with a mask of zeros: its payload stays as it is.
function frame(opcode, text) {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

const TEXT = 1;
const CLOSE = 8;

// Three messages, each once the one before has come back; then it asks to close.
function tunnel(name, path = '/chat') {
  const stream = session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': path,
    ':authority': `127.0.0.1:${port}`, 'sec-websocket-version': '13',
  });
  let left = 3;
  let read = Buffer.alloc(0);
  const message = () => `${name}, ${left} to go`;
  stream.on('response', (head) => {
    note('CONNECT', head[':status']);
    if (head[':status'] === 200) stream.write(frame(TEXT, message()));
    else stream.end();
  });
  stream.on('data', (bytes) => {
    read = Buffer.concat([read, bytes]);
    while (read.length >= 2 && read.length >= 2 + read[1]) {
      const opcode = read[0] & 15;
      const payload = read.subarray(2, 2 + read[1]).toString();
      read = read.subarray(2 + read[1]);
      if (opcode === CLOSE) {
        stream.end();
      } else if (payload === message()) {
        told.echoed += 1;
        left -= 1;
        stream.write(left ? frame(TEXT, message()) : frame(CLOSE, ''));
      }
    }
  });
  return new Promise((done) => stream.on('close', done));
}

async function times(number, ask) {
  for (let i = 0; i < number; ++i) await ask(i);
}

session.once('remoteSettings', async ({ enableConnectProtocol }) => {
  if (!enableConnectProtocol) throw new Error('the server takes no extended CONNECT');
  await times(requests, get);
  await times(tunnels, (i) => tunnel(i));
  await times(requests, get);
  await times(tunnels, (i) => tunnel(i, '/nowhere'));
  await Promise.all([times(requests, get), ...Array.from({ length: tunnels }, (_, i) => tunnel(i))]);
  console.log(JSON.stringify(told));
  session.close();
});
