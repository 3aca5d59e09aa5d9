# A service of Starlette and its CORSMiddleware, as its documentation shows them.

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

app = Starlette(
    routes=[Route("/", lambda request: PlainTextResponse("items"))],
    middleware=[Middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["GET"])],
)
