// The service and the client of tests/support/services/grpc_*.py on grpc-js, without generated code:
// grpc_node.js server PORT | client PORT
const grpc = require('@grpc/grpc-js');

const [kind, port] = process.argv.slice(2);
const same = (bytes) => bytes;

function method(name, requestStream, responseStream) {
  return {
    path: `/shop.Cart/${name}`, requestStream, responseStream, originalName: name,
    requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
  };
}

const methods = {
  Add: method('Add', false, false),
  List: method('List', false, true),
  Put: method('Put', true, false),
  Chat: method('Chat', true, true),
};

function serve() {
  const server = new grpc.Server();
  server.addService(methods, {
    Add(call, answer) {
      const asked = call.request.toString();
      if (asked === 'missing') return answer({ code: grpc.status.NOT_FOUND });
      if (asked === 'broken') return answer({ code: grpc.status.UNKNOWN });
      setTimeout(() => answer(null, Buffer.from('added')), asked === 'slow' ? 1000 : 0);
    },
    List(call) {
      for (let i = 0; i < 5; ++i) call.write(Buffer.alloc(1000));
      call.end();
    },
    Put(call, answer) {
      let sum = 0;
      call.on('data', (bytes) => { sum += bytes.length; });
      call.on('end', () => answer(null, Buffer.from(`${sum}`)));
    },
    Chat(call) {
      call.on('data', (bytes) => call.write(bytes));
      call.on('end', () => call.end());
    },
  });
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
  });
}

const ended = {};

// Sends the messages, reads until the end, and notes the status.
function ask(client, name, messages, within) {
  const { path, requestStream } = methods[name] || method(name, false, false);
  const options = { deadline: Date.now() + within };
  return new Promise((done) => {
    const call = requestStream
      ? client.makeBidiStreamRequest(path, same, same, options)
      : client.makeServerStreamRequest(path, same, same, messages[0], options);
    call.on('data', () => {});
    call.on('error', () => {});
    call.on('status', ({ code }) => {
      const key = `${name} ${grpc.status[code]}`;
      ended[key] = (ended[key] || 0) + 1;
      done();
    });
    if (requestStream) {
      messages.forEach((message) => call.write(message));
      call.end();
    }
  });
}

async function work(client, numbers) {
  for (let number; (number = numbers.pop()) !== undefined;) {
    await ask(client, 'Add', [Buffer.from(`${number}`)], 60000);
    await ask(client, 'List', [Buffer.alloc(0)], 60000);
    await ask(client, 'Put', [Buffer.alloc(1000), Buffer.alloc(100000)], 60000);
    await ask(client, 'Chat', ['a', 'b', 'c'].map(Buffer.from), 60000);
  }
}

async function call() {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  await Promise.all(Array.from({ length: 16 }, () => work(client, numbers)));
  for (let i = 0; i < 4; ++i) {
    await ask(client, 'Add', [Buffer.from('missing')], 60000);
    await ask(client, 'Add', [Buffer.from('broken')], 60000);
    await ask(client, 'Nope', [Buffer.alloc(0)], 60000);
    await ask(client, 'Add', [Buffer.from('slow')], 200);
  }
  console.log(JSON.stringify(ended));
  client.close();
}

if (kind === 'server') serve();
else call();
