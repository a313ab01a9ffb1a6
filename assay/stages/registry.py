"""Every stage of the pipeline by its name, in order."""

from assay.stages import calibrate, execute, generate, judge, monitor, publish, release, review
from assay.stages.declaration import Stage

_MODULES = (generate, review, execute, judge, calibrate, monitor, publish, release)
STAGES: dict[str, Stage] = {module.STAGE.name: module.STAGE for module in _MODULES}
