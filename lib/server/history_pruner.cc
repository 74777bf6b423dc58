#include "server/history_pruner.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "archive/reader.h"
#include "archive/segment_file.h"
#include "archive/writer.h"
#include "base/log.h"
#include "io/poller.h"
#include "server/history_files.h"
#include "server/history_fold.h"

namespace rt::server {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(60);  // segments grow old by themselves
constexpr std::uint64_t kSegmentBytesMin = 64 * 1024;

// How many of the oldest must go, so that what is left is within the limits.
std::size_t count_to_prune(const std::vector<HistorySegment>& segments, std::uint64_t state_bytes,
                           const HistoryLimits& limits, std::int64_t now_us) {
  std::uint64_t left = state_bytes;
  for (const HistorySegment& segment : segments) left += segment.bytes;
  const std::int64_t age_us =
      std::chrono::duration_cast<std::chrono::microseconds>(limits.age_max).count();
  std::size_t count = 0;
  while (count + 1 < segments.size()) {
    const HistorySegment& oldest = segments[count];
    const bool too_many = limits.bytes_max > 0 && left > limits.bytes_max;
    const bool too_old = age_us > 0 && oldest.written_us <= now_us - age_us;
    if (!too_many && !too_old) break;
    left -= oldest.bytes;
    ++count;
  }
  return count;
}

// False: stopped.
Result<bool> fold_file(HistoryFold& fold, const std::string& path, archive::Origin& origin,
                       const std::atomic<bool>& stopping) {
  archive::Reader reader =
      RT_TRY(archive::Reader::open(std::vector<std::string>{path}, {.committed_only = true}));
  origin = reader.header().origin;
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) {
    if (stopping) return false;
    fold.take(entry.record);
  }
  return true;
}

// On the disk, under its name, when this returns.
Result<void> write_state(const HistoryFold& fold, const std::string& directory,
                         std::uint64_t number, const archive::Origin& origin, const Clock& clock) {
  const std::string unfinished = unfinished_state_path(directory);
  const std::string path = history_state_path(directory, number);
  const std::string folder = path.substr(0, path.rfind('/'));
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail(os_error("cannot make " + folder, errno, Code::limit));
  }
  ::unlink(unfinished.c_str());  // of an attempt that failed
  archive::Writer writer =
      RT_TRY(archive::Writer::create(unfinished, origin, archive::Moment::of(clock)));
  RT_CHECKED(fold.write(writer, clock.now()));
  RT_CHECKED(writer.close(clock.now()));
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return fail(os_error("cannot rename " + unfinished, errno, Code::limit));
  }
  RT_CHECKED(archive::sync_directory_of(path));
  return archive::sync_directory_of(folder);
}

}  // namespace

std::uint64_t HistoryLimits::segment_bytes() const {
  const std::uint64_t usual = archive::WriterOptions{}.rotate_bytes;
  return bytes_max == 0 ? usual : std::clamp(bytes_max / 8, kSegmentBytesMin, usual);
}

Duration HistoryLimits::segment_age() const {
  const Duration usual = archive::WriterOptions{}.rotate_age;
  return age_max == Duration(0) ? usual : std::min(age_max / 8, usual);
}

HistoryPruner::HistoryPruner(std::string directory, HistoryLimits limits, const Clock& clock,
                             Counters& counters, io::Wakeup wakeup)
    : directory_(std::move(directory)),
      limits_(limits),
      clock_(clock),
      counters_(counters),
      wakeup_(std::move(wakeup)) {}

HistoryPruner::~HistoryPruner() {
  stop();
}

void HistoryPruner::start() {
  thread_ = std::thread([this] { run(); });
}

void HistoryPruner::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wakeup_.ring();
  thread_.join();
}

void HistoryPruner::run() {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(wakeup_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  while (!stopping_) {
    if (const auto pruned = prune(); !pruned) {
      log::error("the history cannot be pruned; it grows beyond its limits",
                 log::field("reason", pruned.error().text));
    }
    poller->wait(ready, clock_.now() + kLookEvery, clock_.now());
    wakeup_.answer();
  }
}

Result<void> HistoryPruner::prune() {
  const auto segments = RT_TRY(history_segments(directory_));
  const auto state = history_state(directory_);
  std::size_t count =
      count_to_prune(segments, state ? state->bytes : 0, limits_, unix_us(clock_.wall()));
  if (count == 0) return {};
  HistoryFold fold;
  archive::Origin origin;
  if (state && !RT_TRY(fold_file(fold, state->path, origin, stopping_))) return {};
  std::size_t folded = 0;
  // A snapshot that goes on in the next segment cannot be cut in two.
  while (folded < count || !fold.is_whole()) {
    if (folded + 1 >= segments.size()) return {};
    if (!RT_TRY(fold_file(fold, segments[folded].path, origin, stopping_))) return {};
    ++folded;
  }
  RT_CHECKED(write_state(fold, directory_, segments[folded - 1].number, origin, clock_));
  const std::size_t removed = RT_TRY(remove_folded(directory_));
  counters_.history_segments_pruned.fetch_add(removed, std::memory_order_relaxed);
  log::info("history pruned", fmt::format("segments={} rows={} up_to={}", removed, fold.row_count(),
                                          fold.position().text()));
  return {};
}

}  // namespace rt::server
