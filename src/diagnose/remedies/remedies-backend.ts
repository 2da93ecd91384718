/** Remedies of causes behind the gateway, in the network, after the 101, and on this machine. */
import type { Remedy } from './remedy.js';

export const BACKEND_REMEDIES: Readonly<Record<string, Remedy>> = {
  'backend-down': {
    symptom:
      '502 within milliseconds (nginx, Caddy, h2o), 503 after 3 s (HAProxy: three retries) or at once (Apache, lighttpd), already for a single handshake.',
    confirm:
      'On the gateway: `ss -ltn` or curl to the address that its configuration names; its error log says "connection refused" (111).',
    fix: 'Start the backend, and check the address and port that the gateway dials.',
    at: {
      nginx:
        'Check `proxy_pass` and the `server` lines of the upstream; error.log: "connect() failed (111: Connection refused)".',
      haproxy: 'Check the `server` lines; `show servers state`, termination state SC in the log.',
      apache: 'Check ProxyPass; AH00957 in the error log.',
      caddy: 'Check reverse_proxy; "dial tcp ...: connect: connection refused" in its log.',
      alb: 'Register targets in the target group, and look at their health.',
      envoy: 'Response flag UF or UH in the access log: check endpoints and health checks.',
    },
  },
  'backend-unreachable': {
    symptom:
      'The gateway gives up connecting: 504 at its connect timeout (nginx), 503 at (retries + 1) x timeout connect (HAProxy), 502 (Caddy), 522 (Cloudflare).',
    confirm: 'The error log says "timed out while connecting". From the gateway: `nc -vz BACKEND PORT`.',
    fix: 'Check route and firewalls between gateway and backend, and whether its listen queue is full.',
    at: {
      nginx: '`proxy_connect_timeout` (60 s by default) decides how long clients wait for that.',
      haproxy: '`timeout connect` and `retries` decide how long clients wait for that.',
    },
  },
  'backend-died': {
    symptom:
      'Handshakes that were under way fail in one moment (502; 500 from lighttpd; FIN directly), and from then on the connection is refused.',
    confirm:
      'The exit status or the log of the process; dmesg for the OOM killer. nginx: "upstream prematurely closed connection"; HAProxy: termination state SH.',
    fix: 'Find out why the process ended (memory, an unhandled error, a restart) and let a process manager start it again; take an instance out of rotation before it is stopped.',
    at: {
      nginx: 'Several `server` lines in the upstream let the next one try (proxy_next_upstream error).',
      haproxy: 'Several server lines with `check`, `option redispatch`.',
    },
  },
  'backend-hangs': {
    symptom:
      'A single handshake already times out: 504 at the read timeout (nginx, HAProxy, Caddy), 502 (Apache, h2o), or silence.',
    confirm:
      'Ask the backend itself: `wstampede check URL --direct ws://BACKEND`. If it is silent too, look at its threads (a debugger, `kill -USR1` for Node); if it answers 101, the gateway does not forward the upgrade.',
    fix: 'Mend what the backend waits for (a lock, a database, a callback that is never called); give every wait a timeout of its own.',
    at: {
      nginx:
        'error.log: "upstream timed out (110) while reading response header"; proxy_read_timeout is how long clients wait for it.',
      haproxy: 'Termination state sH; `timeout server` is how long clients wait for it.',
    },
  },
  'server-closed-itself': {
    symptom:
      'The first handshake works, and after its client has left no other does: 502 or 503 behind a gateway, 404, a hang, or refused, depending on how the server was built; the process looks alive.',
    confirm: '`wstampede check URL` opens, closes and opens again.',
    fix: "Do not call wss.close() or server.close() in the handler of one socket's close: that event is of one connection, and close() ends the whole server. Use ws.close() or ws.terminate() there.",
    at: {
      nginx: 'Nothing is to be changed in nginx: error.log shows "connection refused" from the first disconnect on.',
      haproxy: 'Nothing is to be changed in HAProxy: SC-- from the first disconnect on.',
    },
  },
  'application-error': {
    symptom: '500, or another 5xx with a page of the application.',
    confirm: 'The log of the application at that moment.',
    fix: 'Look for the stack trace in the log of the application; handlers of `upgrade` are often outside of what catches its errors.',
    at: { heroku: 'The router log names the code (H10 to H22).' },
  },
  'silent-server': {
    symptom: 'The request is taken and nothing comes back, for a single handshake too.',
    confirm: 'The same with a longer -t: a gateway with a timeout would answer 504 in the end.',
    fix: 'Look for an upgrade handler that returns without answering, a second `upgrade` listener (an APM agent, another ws server), an HTTP handler that never responds; a process that hangs.',
  },
  'closed-without-answer': {
    symptom: 'Connections are accepted and ended without a byte, the first one too.',
    confirm: '`wstampede check URL` tries the other scheme; --direct tries the backend.',
    fix: 'Behind a load balancer of layer 4 look for its dead target; else for a port that expects the PROXY protocol or TLS, `return 444` of nginx, or a rule that rejects.',
    at: {
      nginx: '`return 444;` closes without an answer; so does `listen ... proxy_protocol` when none is sent.',
      haproxy: '`tcp-request connection reject`, or `accept-proxy` on the bind line.',
    },
  },
  'cut-after-upgrade': {
    symptom: 'The 101 comes, and the connection is ended soon after it.',
    confirm: 'The close code, if there is one: `wstampede check URL`.',
    fix: "Look at the server's handler of new connections (it may reject there), at restarts, and at a hop that accepts before it has a backend.",
  },
  'idle-cut': {
    symptom:
      'Open connections end after a round time without a message: 60 s behind nginx, 50 s behind HAProxy as Debian ships it.',
    confirm: '`wstampede check URL --idle 2m` says after how long, and how.',
    fix: 'Send a ping more often than that from the server or the client, or raise the timeout.',
    at: {
      nginx: '`proxy_read_timeout` (60 s) and `proxy_send_timeout` end idle tunnels.',
      haproxy: '`timeout tunnel 1h` in defaults: without it timeout server and timeout client end idle tunnels.',
      apache: 'Timeout or ProxyTimeout (60 s; Debian ships 300 s).',
      alb: 'The idle timeout of the load balancer (60 s).',
      google: 'The timeout of the backend service (30 s by default) ends tunnels, idle or not.',
    },
  },
  'dns-failure': {
    symptom: 'No packet is sent: the name has no address, or no resolver answers.',
    confirm: '`getent ahosts NAME`; with EAI_AGAIN or ETIMEOUT also `resolvectl status` or /etc/resolv.conf.',
    fix: 'Check the name and the resolver, or dial an address with --connect-to ADDRESS:PORT.',
  },
  'target-refused': {
    symptom: 'ECONNREFUSED: nothing listens there.',
    confirm: '`ss -ltn` on the target.',
    fix: 'Start the server, and check address and port; a server on 127.0.0.1 or ::1 only is not reached by another address.',
  },
  'target-unreachable': {
    symptom: 'No route to the address.',
    confirm: '`ip route get ADDRESS`; the same over IPv4 and IPv6.',
    fix: 'Check route, VPN and firewall rules that reject.',
  },
  'syn-dropped': {
    symptom: 'No SYN is answered.',
    confirm: '`nc -vz HOST PORT` from elsewhere; a packet capture on the target.',
    fix: 'Check address, security groups and firewalls that drop; on the target `ss -ltn` tells whether its listen queue is full for good.',
  },
  'generator-limit': {
    symptom:
      'Outcomes that begin with local-: this machine could not open the connections. The burst is invalid and says nothing about the target.',
    confirm: '`wstampede burst ... --dry-run` lists what is needed and what is there.',
    fix: 'Raise ulimit -n, spread over more --source-ip addresses, widen net.ipv4.ip_local_port_range, wait until TIME_WAIT is over (60 s), or use a smaller burst.',
  },
  unknown: {
    symptom: 'Failures that fit no known cause.',
    confirm: '`wstampede check URL` for a single handshake, bursts of half and twice the size, `--after 15s`.',
    fix: 'Look at the first sample of the failure, at the logs of the gateway and the server at that moment, and at `nstat -az` and `ss -ltn` on the server during a burst.',
  },
};
