#include "rtreplay/play_sinks.h"

#include <unistd.h>

#include "rtreplay/output.h"

namespace rt::rtreplay {
namespace {

class NullSink final : public Sink {
 public:
  Result<void> put(const RecordView& record) override {
    (void)record;
    return {};
  }
};

class StdoutSink final : public Sink {
 public:
  explicit StdoutSink(LineFormat format) : printer_(format, false), output_(STDOUT_FILENO) {}

  Result<void> put(const RecordView& record) override {
    tracker_.take(record);
    if (record.kind == RecordKind::two_phase) return {};  // comes as a transaction, if it commits
    printer_.print(record, tracker_.position(), output_.buffer());
    return after(output_.poll());
  }
  Result<void> flush() override { return after(output_.flush()); }

 private:
  static Result<void> after(Result<bool> written) {
    if (!written) return fail(std::move(written).error());
    if (!*written) return fail(Code::cancelled, "the reader of standard output has gone");
    return {};
  }

  archive::StreamTracker tracker_;
  RecordPrinter printer_;
  Output output_;
};

}  // namespace

std::unique_ptr<Sink> make_null_sink() {
  return std::make_unique<NullSink>();
}
std::unique_ptr<Sink> make_stdout_sink(LineFormat format) {
  return std::make_unique<StdoutSink>(format);
}

}  // namespace rt::rtreplay
