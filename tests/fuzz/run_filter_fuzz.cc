// Filters of the runs surface: whatever a stranger sends is a filter or a refusal with a reason,
// the same each time, and one run or no condition is what it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/run_filter.h"

using namespace rt::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const TagsMatch match : {TagsMatch::any, TagsMatch::all}) {
    const auto filter = RunFilter::parse(text, match);
    const auto again = RunFilter::parse(text, match);
    if (filter.has_value() != again.has_value()) std::abort();
    if (!filter) {
      const bool explains = filter.error().code == rt::Code::usage && !filter.error().text.empty();
      // The reason goes into a line of an answer.
      if (!explains || filter.error().text.find_first_of("\r\n") != std::string::npos) std::abort();
      continue;
    }
    if (filter->tags().size() > RunFilter::kTagsMax) std::abort();
    const auto keys = filter->keys();
    if (keys.empty() || keys != again->keys()) std::abort();
    if (filter->is_one_run() && !filter->run()) std::abort();
    // A run that has all that is asked for; created_at alone may still refuse it.
    RunFacts facts;
    if (filter->run()) facts.id = *filter->run();
    facts.environment = filter->environment();
    facts.tags = filter->tags();
    const bool matches = filter->matches(facts);
    if (filter->is_one_run() && !matches) std::abort();
    std::vector<std::uint64_t> event_keys;
    append_event_keys(event_keys, facts);
    event_keys.push_back(kEveryRunKey);
    bool reached = false;
    for (const std::uint64_t key : keys) {
      for (const std::uint64_t other : event_keys) reached |= key == other;
    }
    if (!reached) std::abort();  // an event that it wants would not find it
  }
  return 0;
}
