# size.cmake - fails where WITH is more than MOST bytes larger than WITHOUT.
file(SIZE ${WITHOUT} without)
file(SIZE ${WITH} with)
math(EXPR more "${with} - ${without}")
message("a program of ${without} bytes grows by ${more} bytes with the trust code (at most ${MOST})")
if(more GREATER ${MOST} OR more LESS 10000)
  message(FATAL_ERROR "that is not between 10000 and ${MOST}")
endif()
