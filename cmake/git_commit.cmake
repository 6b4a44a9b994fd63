# Writes OUT with the current commit, touching it only when the commit changed. Run at each build.
cmake_minimum_required(VERSION 3.22)
execute_process(COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT "${OUT}" CONTENT "#define BITLAW_GIT_COMMIT \"@commit@\"\n" @ONLY)
