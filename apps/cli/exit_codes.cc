#include "cli/exit_codes.h"

namespace rt::cli {

std::string_view exit_code_table() {
  return "0    success, PASS, or the reader closed the pipe\n"
         "1    negative answer: a threshold missed, a difference found, nothing arrived\n"
         "2    usage, scenario or configuration invalid\n"
         "3    target unreachable or lost, retries spent\n"
         "4    target refuses or speaks wrongly (401, 403, 404, wrong content type, missing "
         "privilege)\n"
         "5    local limits: descriptors, ports, memory, permission\n"
         "6    stream integrity violated: lost, duplicate, reordered, damaged archive\n"
         "7    measurement invalid: saturated client, clock error, schedule missed, too few "
         "samples\n"
         "8    bug in the tool\n"
         "130  interrupted (143 by SIGTERM); partial reports are written\n";
}

}  // namespace rt::cli
