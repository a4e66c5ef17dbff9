# Compiles through ccache where it is installed, so that a build after `make clean` takes seconds.
find_program(CCACHE ccache)
if(CCACHE)
  # The two sloppiness settings are what ccache asks for to work with precompiled headers.
  # The paths in the objects are made relative, so that two checkouts share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      ${CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
