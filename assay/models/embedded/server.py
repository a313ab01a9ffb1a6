"""The server of the embedded models: Starlette, two routes, errors in OpenAI's shape."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from assay.models.embedded.judges import lexical_grounding, lexical_judge
from assay.models.embedded.lexical import LexicalJudge
from assay.models.embedded.protocol import Model, RequestError, completion, read_request
from assay.models.embedded.template_generator import template_generator
from assay.models.embedded.user import lexical_user


def embedded_models(judge: LexicalJudge) -> dict[str, Model]:
    """Return the models by the name they are asked for."""
    return {
        "lexical-grounding": lexical_grounding,
        "lexical-judge": lexical_judge(judge),
        "lexical-user": lexical_user,
        "template-generator": template_generator,
    }


def application(models: Mapping[str, Model]) -> Starlette:
    """Return the web application that serves these models."""

    async def list_models(_: Request) -> JSONResponse:
        shown = [{"id": name, "object": "model", "created": 0, "owned_by": "assay"} for name in sorted(models)]
        return JSONResponse({"object": "list", "data": shown})

    async def chat(request: Request) -> JSONResponse:
        asked = read_request(await request.body())
        if asked.model not in models:
            raise RequestError(
                f"the model {asked.model[:80]!r} does not exist, expected one of {', '.join(sorted(models))}",
                status=404,
                code="model_not_found",
            )
        return JSONResponse(completion(asked, models[asked.model](asked)))

    async def refuse(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestError):
            raise error
        return JSONResponse(error.body(), status_code=error.status)

    routes = [Route("/v1/models", list_models), Route("/v1/chat/completions", chat, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={RequestError: refuse})
