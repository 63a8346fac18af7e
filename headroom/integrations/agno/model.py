"""HeadroomAgnoModel: any Agno model, whose requests leave compressed."""

from __future__ import annotations

from functools import cache
from typing import Any

from agno.models.base import Model
from agno.models.utils import get_model

from headroom import CompressConfig, CompressionHooks, CompressionStore, ConfigError
from headroom.integrations.agno.compressing_model import SERVICE, CompressingModel
from headroom.integrations.agno.service import AgnoService


class HeadroomAgnoModel(CompressingModel):
    """`HeadroomAgnoModel(Claude(id=...))`: the same model, of the same class by name and by `isinstance`, that sends less.

    What leaves is compressed; messages, run output and session stay as they are without it. The model can call
    `headroom_retrieve` from the first request on. `lossless=True` folds only and offers no tool. The wrapped model's
    settings and clients are shared, the wrapped object itself is left alone.

    `model` may also be Agno's "provider:id". Takes what `compress()` takes: `config` and fields of it, `store`, `hooks`.
    ConfigError for a mistyped option or for what is no model.
    """

    def __new__(
        cls,
        model: Model | str,
        *,
        config: CompressConfig | None = None,
        store: CompressionStore | None = None,
        hooks: CompressionHooks | None = None,
        lossless: bool = False,
        **options: Any,
    ) -> HeadroomAgnoModel:
        service = AgnoService(config=config, store=store, hooks=hooks, lossless=lossless, **options)
        inner = get_model(model) if isinstance(model, str) else model
        if not isinstance(inner, Model):
            raise ConfigError(f"model must be one of Agno's models, e.g. OpenAIChat(id='gpt-4o'), not {inner!r}")
        # What comes back is no instance of this class but of one made for the model's: so no __init__ runs again.
        wrapped: HeadroomAgnoModel = _instance(_wrapped_class(inner), {**inner.__dict__, SERVICE: service})
        return wrapped


def _wrapped_class(model: Model) -> type[Model]:
    return type(model).__mro__[2] if isinstance(model, CompressingModel) else type(model)


@cache
def _class_for(wrapped: type[Model]) -> type[CompressingModel]:
    """One class for each wrapped one: Agno compares models by class, and asks classes for their names."""
    # kept: Agno tells by __name__ which models reason by themselves
    namespace = {"__module__": wrapped.__module__, "__qualname__": wrapped.__qualname__, "__doc__": wrapped.__doc__, "__reduce__": _reduce}
    make: Any = type(wrapped)  # its metaclass
    made: type[CompressingModel] = make(wrapped.__name__, (CompressingModel, wrapped), namespace)
    HeadroomAgnoModel.register(made)  # isinstance(model, HeadroomAgnoModel) says yes
    return made


def _instance(wrapped: type[Model], state: dict[str, Any]) -> Any:
    made = _class_for(wrapped)
    instance = object.__new__(made)
    instance.__dict__.update(state)
    return instance


def _reduce(self: CompressingModel) -> tuple[Any, ...]:
    """The class has no name that pickle could import; the wrapped one has."""
    return _instance, (_wrapped_class(self), self.__dict__.copy())
