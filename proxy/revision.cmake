# Writes HEADER with the revision of SOURCE. A tree without git has it from WEIR_REVISION in the
# environment (the container image), or says "unknown" (a release archive).
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision "$ENV{WEIR_REVISION}")
endif()
if(NOT revision MATCHES "^[0-9A-Za-z._-]+$")
  set(revision unknown)
endif()
set(text "#define WEIR_REVISION \"${revision}\"\n")
set(old "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${HEADER} "${text}")
endif()
