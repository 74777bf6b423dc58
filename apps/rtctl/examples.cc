// rtctl examples: the cheat sheet.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string_view>

#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Example {
  std::string_view purpose;
  std::string_view command;
};

constexpr Example kExamples[] = {
    {"watch any event stream", "rtctl sub https://example.com/events"},
    {"the first ten events as JSON lines", "rtctl sub URL --format ndjson --count 10"},
    {"only the data of one kind of event", "rtctl sub URL --event delta --data-only"},
    {"with a secret header kept out of the process list", "rtctl sub URL -H @headers.txt"},
    {"resume where another client stopped", "rtctl sub URL --last-event-id 42"},
    {"fail if nothing arrives within 5 s (exit 1)", "rtctl sub URL --count 1 --timeout 5s"},
    {"all records: open, retry, gap, close", "rtctl sub URL --format ndjson --records all"},
    {"go on where it was killed, without a gap or a repetition",
     "rtctl sub URL --state tail.json --json -o log.ndjson"},
    {"row changes, straight from the database", "rtctl sub wal --pg postgresql://localhost/app"},
    {"notifications of PostgreSQL", "rtctl sub notify orders --pg postgresql://localhost/app"},
    {"messages of Redis", "rtctl sub redis 'gym:*' --redis redis://127.0.0.1"},
    {"behave as a browser does", "rtctl sub URL --strict"},
    {"a server that needs no database", "rtctl serve"},
    {"watch one run of it", "rtctl sub runs --run r1"},
    {"make that run change", "rtctl pub run --id r1 --status running --tag demo"},
    {"why nothing arrives: a stream, its database and this machine",
     "rtctl doctor URL --pg postgresql://localhost/app"},
    {"how fast events come, by a member of their data", "rtctl top runs --by /status"},
    {"keep a profile, and use it", "rtctl ctx set prod url=https://rt.example pg=service=prod"},
    {"prepare a database", "rtctl setup --pg postgresql://localhost/app"},
    {"serve its changes", "rtctl serve --pg postgresql://localhost/app"},
    {"change a row there", "rtctl pub run --id r1 --status done --pg postgresql://localhost/app"},
    {"publish many rows", "jq -c '.[]' rows.json | rtctl pub run - --pg DSN"},
    {"send to a topic, and see how long it takes to come back",
     "rtctl pub topic orders '{\"id\":7}' --await"},
    {"an event to a scope's channel, over Redis",
     "rtctl pub event gym:1:students students.changed '{\"id\":7}' --redis redis://127.0.0.1"},
    {"a thousand messages on a fixed schedule",
     "rtctl pub topic orders '{\"n\":{{n}}}' --count 1000 --rate 100/s"},
    {"a message of each line", "tail -F app.log | rtctl pub notify log --pg DSN"},
    {"a job for the workers of pg-boss", "rtctl pub job mail '{\"to\":\"a@b.c\"}' --pg DSN"},
    {"what would be sent, and where to", "rtctl pub realtime tick 1 --via redis --dry-run"},
    {"runs of an environment with a tag, from the last 15 minutes on",
     "rtctl sub runs --env prod --tag nightly --since 15m"},
};

Result<int> run(const std::string& word) {
  bool any = false;
  for (const Example& example : kExamples) {
    const bool wanted = example.purpose.find(word) != std::string_view::npos ||
                        example.command.find(word) != std::string_view::npos;
    if (!wanted) continue;
    any = true;
    std::fputs(fmt::format("# {}\n{}\n\n", example.purpose, example.command).c_str(), stdout);
  }
  if (any) return 0;
  return fail(Code::negative, fmt::format("no example mentions \"{}\"", word),
              "rtctl examples shows them all");
}

}  // namespace

void add_examples(cli::Tool& tool) {
  auto word = std::make_shared<std::string>();
  CLI::App* verb = tool.verb("examples", "Show commands to copy", [word] { return run(*word); });
  verb->add_option("word", *word, "Only those that mention this word");
  cli::Tool::examples(verb, "  rtctl examples\n  rtctl examples publish");
}

}  // namespace rt::rtctl
