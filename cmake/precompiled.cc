// Gives the precompiled header of cmake/targets.cmake a target to belong to.
