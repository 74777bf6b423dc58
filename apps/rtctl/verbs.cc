#include "rtctl/verbs.h"

namespace rt::rtctl {

void add_verbs(cli::Tool& tool) {
  add_subscribe(tool);
  add_publish(tool);
  add_jobs(tool);
  add_top(tool);
  add_setup(tool);
  add_serve(tool);
  add_doctor(tool);
  add_ctx(tool);
  add_examples(tool);
}

}  // namespace rt::rtctl
