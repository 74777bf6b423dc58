// The hub's side of the realtime surface: what is posted goes to the subscribers here and onto the
// bus; what the bus brings goes to the subscribers here, and never onto the bus again (D-7).
//
// A bus without a past: an event is told here at once, and its echo dropped. A bus with a past: an
// event is told when it comes back, so that all instances tell all events in the bus's order, and
// an id says exactly what its subscriber has seen. docs/realtime.md.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipe/realtime_bus.h"
#include "pipe/realtime_intake.h"
#include "server/board.h"
#include "server/errands.h"
#include "server/realtime_ring.h"

namespace rt::server {

// Written on the hub thread, read on any.
struct RealtimeFigures {
  using Count = std::atomic<std::uint64_t>;
  Count subscribers{0};         // now
  Count published{0};           // posted, and taken by the transport
  Count not_published{0};       // posted, and not taken
  Count gaps{0};                // times that events of the bus were lost, or may have been
  Count resumed{0};             // subscribers that went on after their Last-Event-ID
  Count resumed_by_reading{0};  // of those, by asking the transport
  Count not_resumed{0};         // subscribers that were told that events are missing

  static void add(Count& count) { count.fetch_add(1, std::memory_order_relaxed); }
};

class RealtimeBoard final : public Board {
 public:
  // The intake's origin is the one that events are stamped with.
  RealtimeBoard(std::shared_ptr<RealtimeBus> bus, std::string origin,
                std::shared_ptr<RealtimeIntake> intake, std::shared_ptr<RealtimeFigures> figures);
  ~RealtimeBoard() override;

  Result<void> open(BoardPort& port) override;
  void join(const Asker& subscriber, const Opening& opening) override;
  void part(const Asker& subscriber, const Hash128& target, bool gzip) override;
  void ask(const Asker& asker, Question question) override;
  void hear(const RecordView& record) override;
  bool turn() override;
  bool drain() override;

 private:
  struct Publication;
  struct Resume;
  using Resuming = std::shared_ptr<Resume>;
  // Who waits for this instance to hear what another one has told already: milliseconds.
  static constexpr std::size_t kWaitingMax = 4096;

  void publish(Publication publication);
  void finish(const Publication& publication);
  void tell(std::string_view type, std::string_view user, std::string_view json,
            const std::optional<RedisEntryId>& entry);
  void note_own(const RealtimeReceived& event);
  void tell_gap(std::string_view reason);
  void look_at_link();

  // realtime_resume.cc
  void resume(const Asker& subscriber, const Opening& opening, std::string text);
  void advance(const Resuming& resuming);
  void read_past(const Resuming& resuming);
  void finish_reading(const Resuming& resuming);
  void go_live(Resume& resume);
  void give_up(Resume& resume, std::string_view reason);
  void wait(const Resuming& resuming);
  void advance_waiting();
  void end(Resume& resume, bool live);
  void forget(const Asker& subscriber);

  const std::shared_ptr<RealtimeBus> bus_;
  const std::string origin_;
  const std::shared_ptr<RealtimeIntake> intake_;
  const std::shared_ptr<RealtimeFigures> figures_;
  BoardPort* port_ = nullptr;
  std::uint64_t last_number_ = 0;  // of an event posted here
  // Of a bus with a past: the last that it took, and the last that came back. It keeps their order.
  std::uint64_t last_taken_ = 0;
  std::uint64_t last_back_ = 0;

  std::atomic<bool> link_changed_{true};
  bool was_away_ = false;  // it could not be reached at the start
  bool was_connected_ = false;

  // Of a bus with a past: the last entry that was heard, told or not.
  std::optional<RedisEntryId> heard_;
  bool heard_more_ = false;  // since those who wait were looked at
  RealtimeRing ring_;
  std::unordered_map<std::uint64_t, Resuming> resuming_;  // by subscriber, until it is told
  std::vector<Resuming> waiting_;                         // of these

  std::unique_ptr<Errands> publishing_;
  std::unique_ptr<Errands> reading_;  // a long past keeps nobody from publishing
};

}  // namespace rt::server
