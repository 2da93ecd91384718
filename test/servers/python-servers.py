"""
Servers from Debian's Python packages, each as its documentation has it, with the rules that such servers usually have: one
path, a token, an Origin. `python3 python-servers.py NAME HOST PORT` prints `ready` once it listens, answers each line on its
stdin with the number of connections that it has accepted, and ends with its stdin. Listen queues are as long as Node's, so
that a burst of hundreds does not overflow them.
"""
import asyncio
import os
import sys
import threading

TOKEN = "good-token"
ORIGIN = "https://app.example.com"
accepted = 0


def count():
    global accepted
    accepted += 1


def told(ready=True):
    """From now on stdin is answered; a server may block this program's first thread."""

    def answer():
        for _ in sys.stdin:
            print(accepted, flush=True)
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()
    print("ready", flush=True)


async def asgi_application(scope, receive, send):
    """Frameworks refuse before they accept; the server makes a 403 of it. Of an unknown path Channels raises."""
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        return await send({"type": "http.response.body", "body": b"Not Found"})
    if scope["path"] != "/live":
        raise ValueError(f"No route found for path {scope['path']!r}.")
    await receive()
    if f"token={TOKEN}".encode() not in scope["query_string"]:
        return await send({"type": "websocket.close", "code": 4401})
    await send({"type": "websocket.accept"})
    count()
    while (await receive())["type"] != "websocket.disconnect":
        pass


def serve_websockets(host, port):
    import websockets

    async def echo(socket):
        count()
        async for message in socket:
            await socket.send(message)

    async def main():
        protocol = websockets.basic_auth_protocol_factory(realm="live", credentials=("user", "secret"))
        async with websockets.serve(echo, host, port, origins=[ORIGIN, None], create_protocol=protocol, backlog=511):
            told()
            await asyncio.Future()

    asyncio.run(main())


def serve_aiohttp(host, port):
    from aiohttp import web

    async def live(request):
        if request.query.get("token") != TOKEN:
            raise web.HTTPUnauthorized()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        count()
        async for _ in socket:
            pass
        return socket

    application = web.Application()
    application.add_routes([web.get("/live", live)])
    web.run_app(application, host=host, port=port, backlog=511, print=lambda _: told(), access_log=None)


def serve_tornado(host, port):
    import tornado.ioloop
    import tornado.web
    import tornado.websocket

    class Live(tornado.websocket.WebSocketHandler):
        def open(self):
            count()

    tornado.web.Application([("/live", Live)]).listen(port, address=host, backlog=511)
    told()
    tornado.ioloop.IOLoop.current().start()


def serve_daphne(host, port):
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server

    endpoints = [f"{one}:backlog=511" for one in build_endpoint_description_strings(host=host, port=port)]
    Server(application=asgi_application, endpoints=endpoints, ready_callable=told, signal_handlers=False).run()


def uvicorn_with(**settings):
    def serve(host, port):
        import uvicorn

        class Server(uvicorn.Server):
            async def startup(self, sockets=None):
                await super().startup(sockets)
                told()

        Server(uvicorn.Config(asgi_application, host=host, port=port, log_level="critical", **settings)).run()

    return serve


def serve_hypercorn(host, port):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"{host}:{port}"]
    config.loglevel = "CRITICAL"
    config.backlog = 511

    async def application(scope, receive, send):
        await asgi_application(scope, receive, send)

    async def main():
        asyncio.get_running_loop().call_later(1, told)
        await serve(application, config)

    asyncio.run(main())


def serve_autobahn(host, port):
    from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
    from autobahn.websocket.types import ConnectionDeny
    from twisted.internet import reactor

    class Live(WebSocketServerProtocol):
        def onConnect(self, request):
            if "chat" not in request.protocols:
                raise ConnectionDeny(400, "subprotocol chat expected")
            return "chat"

        def onOpen(self):
            count()

    factory = WebSocketServerFactory()
    factory.protocol = Live
    factory.setProtocolOptions(allowedOrigins=[f"{ORIGIN}:443"])
    reactor.listenTCP(port, factory, interface=host, backlog=511)
    reactor.callWhenRunning(told)
    reactor.run(installSignalHandlers=False)


def serve_gevent(host, port):
    from gevent import monkey

    monkey.patch_all(sys=False, thread=False)
    from geventwebsocket import Resource, WebSocketApplication, WebSocketServer

    class Live(WebSocketApplication):
        def on_open(self):
            count()

        def on_message(self, message):
            pass

    server = WebSocketServer((host, port), Resource([("^/live$", Live)]), log=None, backlog=511)
    server.start()
    told()
    server.serve_forever()


SERVERS = {
    "websockets": serve_websockets,
    "aiohttp": serve_aiohttp,
    "tornado": serve_tornado,
    "daphne": serve_daphne,
    "uvicorn": uvicorn_with(ws="websockets"),
    "uvicorn-without": uvicorn_with(ws="none"),
    "hypercorn": serve_hypercorn,
    "autobahn": serve_autobahn,
    "gevent": serve_gevent,
}

name, host, port = sys.argv[1:]
SERVERS[name](host, int(port))
