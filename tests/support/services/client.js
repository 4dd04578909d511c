// Asks a URL so many times over one kept-alive connection, one after the other, by node's client.
// Prints the number of each status.
//
//   node client.js URL TIMES
const http = require('http');

const agent = new http.Agent({keepAlive: true, maxSockets: 1});
const [url, times] = [process.argv[2], Number(process.argv[3])];
const statuses = {};

function ask(left) {
  if (left === 0) {
    console.log(JSON.stringify(statuses));
    agent.destroy();
    return;
  }
  http.get(url, {agent}, (reply) => {
    statuses[reply.statusCode] = (statuses[reply.statusCode] || 0) + 1;
    reply.resume();
    reply.on('end', () => ask(left - 1));
  }).on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
    agent.destroy();
  });
}
ask(times);
