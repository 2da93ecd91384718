/** The ws client doing what `churn` does: N handshakes, C in flight, each ended after its 101. Arguments: URL N C. */
import { WebSocket } from 'ws';

const [url, total, inFlight] = process.argv.slice(2);
let started = 0;
let ended = 0;

function next(): void {
  if (started >= Number(total)) return;
  started++;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const end = () => {
    if (++ended === Number(total)) process.exit(0);
    next();
  };
  socket.once('open', () => {
    socket.once('close', end);
    socket.terminate();
  });
  socket.once('error', end);
}

for (let i = 0; i < Number(inFlight); i++) next();
