/** Remedies of causes that already fail a single handshake: headers, paths, permissions, TLS. */
import type { Remedy } from './remedy.js';

export const SETUP_REMEDIES: Readonly<Record<string, Remedy>> = {
  'upgrade-not-forwarded': {
    symptom:
      '426 Upgrade Required, 404 (`Cannot GET ...`), 200, or 504 from a server without a handler, although the client sent Upgrade: a hop removed it, and the backend answers an ordinary GET.',
    confirm: '`wstampede check URL --direct ws://BACKEND`: 101 there, and not through the gateway.',
    fix: 'Let every hop forward Upgrade and Connection; both are hop-by-hop headers (RFC 9110 section 7.6.1) and are dropped unless a hop is told otherwise.',
    at: {
      nginx:
        'In the location: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;` with `map $http_upgrade $connection_upgrade { default upgrade; "" close; }` in http.',
      haproxy:
        'HAProxy forwards them unless told not to: look for `http-request del-header Upgrade` or Connection, and for `option httpclose`.',
      apache:
        '`ProxyPass /ws ws://backend/ws upgrade=websocket` (2.4.47 and later), or mod_proxy_wstunnel with a RewriteRule.',
      caddy: 'Look for `header_up -Upgrade` or `header_up -Connection` in reverse_proxy.',
      varnish:
        'In vcl_recv: `if (req.http.Upgrade ~ "(?i)websocket") { return (pipe); }`, and in vcl_pipe set bereq.http.Upgrade and Connection.',
      squid: '`http_upgrade_request_protocols WebSocket allow all`.',
      lighttpd: '`proxy.header = ( "upgrade" => "enable" )`.',
      h2o: '`proxy.websocket: ON`.',
      envoy: '`upgrade_configs: [{ upgrade_type: websocket }]` in the HTTP connection manager or the route.',
      alb: 'The target group must speak HTTP/1.1.',
    },
  },
  'wrong-path': {
    symptom: '404 from the gateway itself, 400 from a ws server with a path of its own.',
    confirm: '`wstampede check URL` also tries the path with or without its trailing slash.',
    fix: 'Check the path of the URL against the location of the gateway and the path option of the server.',
    at: {
      nginx: 'Look for the `location` that matches, and whether `proxy_pass` with a URI cuts the prefix off.',
      haproxy: 'Look at the path rules of use_backend.',
      caddy: 'Look at the site address and at handle or route: an empty 200 means that none matched.',
    },
  },
  'not-a-websocket-endpoint': {
    symptom: 'An ordinary page (200, 405, 501).',
    confirm: 'The backend itself gives the same (`--direct`).',
    fix: 'Check host and path: a web server without WebSocket answers there. An application server may lack its WebSocket library (uvicorn: websockets or wsproto).',
  },
  'version-mismatch': {
    symptom: '400 or 426 with Sec-WebSocket-Version naming other versions than 13.',
    confirm: '`wstampede check URL` tries version 8.',
    fix: 'Update the server: version 13 is RFC 6455 of 2011. Or a hop changes Sec-WebSocket-Version. For socket.io and engine.io use the EIO that the server speaks (EIO=4 since version 3 of socket.io; `allowEIO3: true` for older clients).',
  },
  'origin-refused': {
    symptom: '403 (or 401 from verifyClient of ws) depending on the Origin header.',
    confirm: '`wstampede check URL` tries with and without Origin.',
    fix: 'Send the Origin of your site (--origin https://app.example.com) or add it to the list of the server. Servers that compare Origin with Host refuse every browser when a proxy changes Host or its port.',
    at: {
      nginx: '`proxy_set_header Host $http_host;` forwards the Host that the browser sent, with its port.',
      apache: '`ProxyPreserveHost On`.',
      caddy: 'Look for `header_up Host` in reverse_proxy: Caddy forwards Host unchanged unless told otherwise.',
      haproxy: 'Look for `http-request set-header Host`.',
    },
  },
  'auth-refused': {
    symptom: '401, often with WWW-Authenticate; 407 from a proxy.',
    confirm: 'The curl line that check prints, with credentials.',
    fix: 'Send what the server wants: -H "Authorization: Bearer ..." or -H "Cookie: ..."; tokens for many clients come from --data FILE.csv. Check that they are not expired and that every hop forwards them.',
    at: {
      nginx: 'Look at auth_request and auth_basic of the location; `proxy_set_header Authorization` may overwrite it.',
    },
  },
  forbidden: {
    symptom: '403 whatever Origin is sent.',
    confirm: 'The page and its headers name the hop that refused.',
    fix: 'Look at allow and deny rules, a WAF, bot rules, or permissions of the token.',
    at: {
      nginx: '`allow`/`deny`, `auth_request` or `valid_referers` of the location.',
      haproxy: '`http-request deny`.',
      cloudflare: 'Security events of the zone show the rule.',
    },
  },
  redirected: {
    symptom: '301, 302, 307 or 308; browsers and most clients do not follow it for WebSockets.',
    confirm: 'The Location header.',
    fix: 'Use the URL that it names (with wss:// for https://), or exclude the path from the redirect.',
    at: {
      nginx: 'Look for `return 301 https://...` in the server of port 80, and for directories without their slash.',
    },
  },
  'bad-request': {
    symptom: '400.',
    confirm: 'The curl line that check prints, with headers taken away one by one.',
    fix: 'Look at what the page says, at the Host header and at headers that the server insists on.',
  },
  'header-too-large': {
    symptom: '431, 414, 413, or 400 whose page says "Too Large".',
    confirm: 'The same with fewer cookies works.',
    fix: 'Send less (cookies, tokens), or allow more.',
    at: {
      nginx: '`large_client_header_buffers 4 16k;`.',
      haproxy: '`tune.bufsize` (16 KiB by default).',
      apache: '`LimitRequestFieldSize` (8 KiB by default).',
    },
  },
  'invalid-upgrade-answer': {
    symptom: 'A 101 that lacks or mistakes a header of RFC 6455 section 4.1.',
    confirm: '`wstampede check URL` lists every clause with its verdict.',
    fix: 'Mend the server; or look for a hop that changes or caches the answer (a wrong Accept that is always the same one is a cached 101).',
    at: { varnish: 'Upgrades must be piped: `return (pipe)`.' },
  },
  'response-too-large': {
    symptom: 'The head of the answer is over 64 KiB; gateways answer 502 for it.',
    confirm: 'The size of cookies or headers that the server sets.',
    fix: 'Let the server send less.',
    at: { nginx: '`proxy_buffer_size 16k;` (4 KiB or 8 KiB by default).', haproxy: '`tune.bufsize`.' },
  },
  'malformed-answer': {
    symptom: 'An answer that begins as HTTP and has a broken line in its head.',
    confirm: '`wstampede check URL` shows what came; `curl -v` says which line it dislikes.',
    fix: 'Mend the server, or the hop that adds the line: a header without a colon, a space before it, a bare CR, a status that is not three digits.',
  },
  'not-http': {
    symptom: 'Bytes that are no HTTP.',
    confirm: '`nc HOST PORT` shows what listens there.',
    fix: 'Check the port.',
  },
  'tls-untrusted': {
    symptom: 'The chain of the certificate ends at nobody who is trusted here.',
    confirm: '`wstampede check URL` prints the chain.',
    fix: 'Trust its authority with --ca FILE, or accept any with -k. If browsers accept it and this does not, the server does not send its intermediate certificates.',
    at: { nginx: "`ssl_certificate` must hold the intermediates after the server's own." },
  },
  'tls-expired': {
    symptom: 'The certificate is out of date, or not valid yet.',
    confirm: '`wstampede check URL` prints its dates.',
    fix: 'Renew it and reload the gateway; check the clocks.',
    at: { nginx: '`nginx -s reload` after renewal.', haproxy: 'Reload, or `set ssl cert` over the stats socket.' },
  },
  'tls-wrong-name': {
    symptom: 'The certificate names other hosts.',
    confirm: '`wstampede check URL` prints its names.',
    fix: 'Use a name of the certificate in the URL, --servername NAME to ask for another one, or a certificate with this name.',
  },
  'tls-protocol': {
    symptom: 'An alert: no common version or cipher, or no certificate for this name.',
    confirm: '`openssl s_client -connect HOST:PORT -servername NAME`.',
    fix: 'Check the TLS versions that the server allows, and the name that is asked for (--servername).',
    at: {
      nginx: '`ssl_protocols TLSv1.2 TLSv1.3;`, and the server_name of the default server.',
      haproxy: '`ssl-min-ver`, `strict-sni`.',
    },
  },
  'tls-client-certificate': {
    symptom: 'The server wants a client certificate (400 of nginx, or an alert).',
    confirm: 'The page, or the alert "certificate required".',
    fix: 'Give --cert FILE and --key FILE.',
    at: { nginx: '`ssl_verify_client on;`.', haproxy: '`verify required` on the bind line.' },
  },
  'plaintext-port': {
    symptom: 'wss:// fails in TLS, ws:// to the same port works.',
    confirm: '`wstampede check URL` tries the other scheme.',
    fix: 'Use ws://, or let the gateway speak TLS on that port.',
    at: { nginx: '`listen 443 ssl;`: without ssl the port speaks plain HTTP.', haproxy: '`bind :443 ssl crt FILE`.' },
  },
  'tls-port': {
    symptom: 'ws:// gets 400 "plain HTTP request was sent to HTTPS port", or is hung up; wss:// works.',
    confirm: '`wstampede check URL` tries the other scheme.',
    fix: 'Use wss://.',
  },
};
