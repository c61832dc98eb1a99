"""The window: Qt widgets over the same jobs, runs and recordings that the command line uses."""

# PySide6 looks into every module that is imported after it, and pydantic's lazy modules do not stand that while they
# are half-way loaded. So pydantic comes first, whoever imports a module of this package first.
from pydantic import BaseModel as _BaseModel
from pydantic import Field as _Field

del _BaseModel, _Field
