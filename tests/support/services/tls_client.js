// tls_client.js URL TIMES [CONNECTIONS]: GETs of node's own client over kept connections.
const https = require('https');

const [url, times, connections] = process.argv.slice(2);
const agent = new https.Agent(
  {keepAlive: true, maxSockets: Number(connections || 1), rejectUnauthorized: false});
let left = Number(times);
let open = 0;

function next() {
  if (left === 0) {
    if (open === 0) agent.destroy();
    return;
  }
  left--;
  open++;
  https.get(url, {agent}, (reply) => {
    reply.resume();
    reply.on('end', () => { open--; next(); });
  }).on('error', (error) => { throw error; });
}
for (let i = 0; i < Number(connections || 1); i++) next();
