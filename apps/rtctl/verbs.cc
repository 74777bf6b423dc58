#include "rtctl/verbs.h"

namespace rt::rtctl {

void add_verbs(cli::Tool& tool) {
  (void)tool;
}

}  // namespace rt::rtctl
