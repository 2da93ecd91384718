/** Remedies of causes that appear only under load: queues, limits, rates, slow upgrades. */
import type { Remedy } from './remedy.js';

export const CAPACITY_REMEDIES: Readonly<Record<string, Remedy>> = {
  'slow-serial-upgrade': {
    symptom:
      'The 101s come one after another in an even ramp up to a timeout T; everybody later gets 504 (502 from Apache and h2o), or meets the deadline of the client, however large the burst is: T/S get through.',
    confirm:
      'Double the burst: the count of 101s stays. Halve the read timeout of the gateway: it halves. Profile what the server does between the request and its 101 (authentication, a password hash, a query).',
    fix: 'Make an upgrade cheaper or let several run in parallel (a worker pool, more processes, no synchronous hash in the event loop); stop working for clients that have disconnected; let clients come back with jitter, over N x S at least; raise the read timeout only if users can wait N x S.',
    at: {
      nginx:
        'nginx waits proxy_read_timeout (60 s by default) for the 101: `proxy_read_timeout` above N x S lets them wait longer, `limit_conn` before the backend rejects the excess immediately.',
      haproxy:
        'HAProxy waits `timeout server` for the 101; `maxconn` on the server line with `timeout queue` keeps the crowd in its own queue, so that the backend works only for those that are still there.',
      apache: 'Apache waits `ProxyTimeout` (or Timeout) and answers 502.',
      caddy: 'Caddy waits response_header_timeout of its transport.',
      envoy: 'Envoy waits the timeout of the route (15 s by default).',
      cloudflare: 'Cloudflare waits 100 s (524) and that is not to be changed on most plans.',
      alb: 'The ALB waits its idle timeout (60 s by default).',
      heroku: 'The router waits 30 s (H12), and that is fixed.',
      h2o: 'h2o waits proxy.timeout.io (30 s by default) and answers 502.',
    },
  },
  'slow-concurrent-upgrade': {
    symptom: 'The 101s come in steps: C at a time, D apart, up to a timeout T: C x floor(T/D) get through.',
    confirm:
      'The step height is a pool size you know (connections to a database, workers, a semaphore). Change it, and the steps change.',
    fix: 'Enlarge the pool whose size is the step height, shorten what takes D, cache its result, or let clients come back with jitter, over N/C x D at least.',
    at: {
      nginx: '`proxy_read_timeout` above N/C x D lets the last ones wait.',
      haproxy:
        '`timeout server` above N/C x D lets the last ones wait; `maxconn` C on the server line keeps the others in the queue of HAProxy.',
    },
  },
  'cpu-bound': {
    symptom:
      'All 101s of a burst come together at its end, and the end moves in proportion to the size: TLS handshakes or synchronous work share a CPU.',
    confirm:
      'CPU use of the gateway or the server is at 100 % of a core during the burst. With --gate upgrade, which does TLS before the release, it goes away if TLS was the work.',
    fix: 'Use ECDSA certificates instead of RSA-4096, resume TLS sessions, use more worker processes or cores, move hashing off the event loop.',
    at: {
      nginx: '`worker_processes auto;`, `ssl_session_cache shared:SSL:10m;`, an ECDSA certificate beside the RSA one.',
      haproxy: '`nbthread` for all cores, `tune.ssl.cachesize`, an ECDSA certificate.',
    },
  },
  'retry-storm': {
    symptom:
      'After a drop clients come back, wait, leave by their own timeout and try again: attempts a second stay high, hardly any client is ready, and it does not end.',
    confirm:
      'Compare abandoned with attempts in the storm. Repeat with a longer timeout in the policy, or with --capacity: the bound says whether this fleet can recover.',
    fix: 'Give an attempt more time than the whole fleet needs, spread the first attempt over that time, and let the waits grow; let the server stop working for clients that have disconnected, and admit only as many as it can serve in their time.',
    at: {
      nginx:
        '`limit_req` before the upgrade rejects the excess at once, so that the backend serves those that still wait.',
      haproxy:
        '`maxconn` on the server line with `timeout queue` below the timeout of the clients drops those that have left.',
    },
  },
  'listen-queue-full': {
    symptom:
      'Some connect at once, the others after 1, 2, 3, 4, 5, 7, 11 or 19.5 s (before Linux 6.5: 1, 3, 7, 15 s), or never. Behind a gateway: a few fail at its read timeout, the rest at its connect timeout.',
    confirm:
      'On the server: `nstat -az TcpExtListenOverflows` grows during the burst, `ss -ltn` shows Recv-Q at Send-Q + 1. If it does not grow, a firewall limits SYNs.',
    fix: 'Raise both the backlog of the server (Node: server.listen({ backlog }), 511 by default) and net.core.somaxconn; do not block the event loop, so that connections are accepted; more processes; in a gateway before it, a connect timeout above 3.1 s gives two more SYNs a chance.',
    at: {
      nginx:
        'Of nginx itself: `listen ... backlog=4096;` (511 by default) and net.core.somaxconn. Towards its backend: `proxy_connect_timeout` above 3.1 s.',
      haproxy:
        'Of HAProxy itself: `backlog` on the bind line and `maxconn`. Towards its backend: `timeout connect` above 3.1 s, `retries`.',
    },
  },
  'phantom-connections': {
    symptom:
      'connect() works, but the first byte comes at 0.2, 0.6, 1.4, 3, 6.4 s or never: with SYN cookies the client is told of a connection that the full queue has dropped.',
    confirm: 'On the server: `nstat -az TcpExtTCPReqQFullDoCookies TcpExtListenOverflows` grow during the burst.',
    fix: 'Lengthen the listen queue (backlog and net.core.somaxconn, net.ipv4.tcp_max_syn_backlog) and accept faster; clients need a deadline for the whole handshake, not only for connect.',
    at: { nginx: '`listen ... backlog=4096;`.', haproxy: '`backlog 4096` on the bind line.' },
  },
  'connection-limit': {
    symptom:
      'A count of 101s that does not change with the size of the burst; the others are refused within milliseconds (503, FIN, RST, 502 behind a gateway) or wait for a place until a timeout.',
    confirm: 'Bursts of two sizes give the same count. The error log of the hop names the limit.',
    fix: 'Raise the limit that has this number, or add instances; a tunnel holds its place as long as it lives.',
    behind:
      'The gateway says that its backend refused or did not answer, so look at the limits of the backend first: its connections (maxConnections, workers, a pool), its descriptors (ulimit -n), the length of its listen queue.',
    at: {
      nginx:
        '`worker_connections` (a tunnel takes two, and worker_processes multiply it) with `worker_rlimit_nofile`; or `limit_conn` if the answer is 503.',
      haproxy:
        '`maxconn`: global, of the frontend (connections wait in the listen queue) or of the server line (they wait `timeout queue`, then 503).',
      apache: '`MaxRequestWorkers`: each tunnel holds a worker (mpm_event with mod_proxy_wstunnel).',
      envoy: 'circuit_breakers: max_connections, max_requests and max_pending_requests (1,024 each by default).',
      caddy: 'Look at ulimit -n of Caddy and at the limits of its backend.',
      heroku: 'H22: the connection limit of the dyno.',
    },
  },
  'rate-limit': {
    symptom:
      'A burst of b gets through at once, then r a second; the others get 429 or 503 at once, or are delayed at 1/r. Retry-After may say how long.',
    confirm:
      'A second burst right after the first gets only what came back: r x the time between. `wstampede churn` shows the rate itself.',
    fix: 'Raise rate and burst for the upgrade path, or count clients by something finer than the address (behind NAT or a proxy all share one); clients must come back with jitter, over N/r at least, and honour Retry-After.',
    at: {
      nginx:
        '`limit_req zone=... burst=B nodelay;` and `rate=` of limit_req_zone; B + 1 get through at once; `limit_req_status 429` tells clients what it was.',
      haproxy:
        '`stick-table ... store http_req_rate()` with `http-request deny deny_status 429`, `rate-limit sessions`, or a tarpit.',
      'api-gateway':
        'AWS API Gateway admits 500 new connections a second an account and region by default: ask for more.',
      cloudflare: 'A rate limiting rule of Cloudflare: exclude the upgrade path or raise its threshold.',
    },
  },
  'descriptor-limit': {
    symptom: 'A fixed count of 101s, then 500 (nginx), 502 (Caddy) or closed connections within milliseconds.',
    confirm: 'The error log says "too many open files" (24). `cat /proc/PID/limits` and `ls /proc/PID/fd | wc -l`.',
    fix: 'Raise the limit of the process: LimitNOFILE= in its systemd unit, ulimit -n, or its own directive; behind a proxy a connection costs two descriptors.',
    at: {
      nginx: '`worker_rlimit_nofile 65535;` and `worker_connections` below half of it.',
      haproxy: 'HAProxy sets it itself from maxconn, and refuses to start where it may not: LimitNOFILE=.',
      caddy: 'LimitNOFILE= in the unit of Caddy.',
    },
  },
  'ports-exhausted': {
    symptom:
      'Around 28,000 connections to one backend address, then 502 (nginx), 503 (HAProxy, Apache) within milliseconds.',
    confirm: 'The error log says "cannot assign requested address" (99). `ss -s` counts TIME_WAIT.',
    fix: 'Widen net.ipv4.ip_local_port_range, give the backend several addresses or ports, reuse with net.ipv4.tcp_tw_reuse=1, or use a Unix socket.',
    at: {
      nginx:
        '`proxy_bind` with several source addresses (split_clients), more `server` lines in the upstream, keepalive.',
      haproxy: '`source` with several addresses, or several server lines.',
    },
  },
  'negative-cache': {
    symptom:
      'After a failure everybody is refused within milliseconds (502, 503), and after a round time (10 s) all is well again.',
    confirm:
      'The log of nginx says "no live upstreams". Probes after the burst (--after 15s) fail at once and then all work.',
    fix: 'Do not let slow answers mark a backend as dead; spread load before it fails.',
    at: {
      nginx:
        '`max_fails=0` on the server lines of the upstream, or `proxy_next_upstream off;` for the upgrade path; write an address instead of a name that resolves to 127.0.0.1 and ::1.',
      haproxy: '`fall` and `rise` of the check, `inter`; `observe` off.',
      caddy: 'fail_duration 0, or max_fails higher.',
    },
  },
  'work-for-the-dead': {
    symptom:
      'After the burst single handshakes still fail or wait, the longer the larger the burst was: until about N x S - T.',
    confirm: '`--after 15s`: the waits fall linearly to nothing. The server logs 101s that no client saw.',
    fix: 'Before the costly part of an upgrade ask whether the socket is still there (Node: socket.destroyed, the close event), and drop the job if not: the service recovers at once instead of after N x S. Bound the queue.',
    at: {
      nginx: 'nginx closes the connection to the backend when it gives up: the backend can see it, if it looks.',
      haproxy: '`option abortonclose` drops requests whose client has gone while they wait in the queue of HAProxy.',
    },
  },
};
