// What `record sse`, `record notify` and `record redis` share: options, and the run around a stream
// of events. (WAL is different: its records are confirmed.)
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/tool.h"
#include "pipe/source.h"
#include "rtreplay/recorder.h"

namespace rt::rtreplay {

struct EventRecording {
  std::string archive;
  std::string duration;
  std::string count;
  bool quiet = false;
};

// -o, -d, -n, -q
void declare_recording(CLI::App* app, EventRecording& options);

// What a recording holds already, if it is gone on with.
struct Held {
  bool resumed = false;
  std::optional<WallTime> since;                 // arrival of its first record
  std::string event_id;                          // of the last server-sent event that had one
  std::map<std::string, std::string> entry_ids;  // the last of each Redis stream, by key
};

// Opens the archive, lets `stream` put records into it until stopped, closes it, and returns the
// exit status. `kind` and `source` go into the notes of a new archive: no secret.
using StreamInto = std::function<Result<void>(Recorder&, const Held&, const std::stop_token&)>;
Result<int> record_events(const EventRecording& options, const std::string& kind,
                          const std::string& source, const StreamInto& stream);

// Between two runs of the recorder events were lost.
Result<void> put_break(Recorder& recorder);
// "rtreplay: ...; trying again"
void show_retry(const Error& reason, bool quiet);

}  // namespace rt::rtreplay
