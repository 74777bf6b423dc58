// rtctl publish: the table of its verbs.
#include <array>

#include "rtctl/publish_verbs.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

using AddVerb = void (*)(cli::Tool& tool, CLI::App* publish);
constexpr std::array<AddVerb, 6> kVerbs = {add_publish_topic,    add_publish_event,
                                           add_publish_realtime, add_publish_run,
                                           add_publish_job,      add_publish_notify};

}  // namespace

void add_publish(cli::Tool& tool) {
  CLI::App* publish = tool.group("publish", "Make something happen on a stream");
  publish->alias("pub");
  tool.take_words_literally("publish");
  tool.take_words_literally("pub");
  for (const AddVerb add : kVerbs) add(tool, publish);
}

}  // namespace rt::rtctl
