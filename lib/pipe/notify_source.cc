#include "pipe/notify_source.h"

#include <utility>

#include "archive/bodies.h"
#include "base/clock.h"
#include "io/wakeup.h"
#include "pg/listen.h"

namespace rt {

namespace {

// As many as a batch of WAL has: free per record, and still in a cache.
constexpr std::size_t kBatchRecords = 4096;
constexpr std::string_view kGap =
    "connection lost: what was notified until it was back is lost for this listener";

}  // namespace

NotifySource::NotifySource(NotifySourceOptions options, LinkWatch watch)
    : options_(std::move(options)), watch_(std::move(watch)) {}

// One connection after another; what they share.
class NotifySource::Session {
 public:
  Session(NotifySource& source, const Take& take, Reconnector& link, int cancel_fd)
      : source_(source), take_(take), link_(link), cancel_fd_(cancel_fd) {}

  // Success: `take` failed, and taken() says why.
  Result<void> run() {
    ConnectOptions connect;
    connect.application_name = source_.options_.application_name;
    connect.cancel_fd = cancel_fd_;
    Listen listen = RT_TRY(Listen::start(source_.options_.dsn, source_.options_.channels, connect));
    if (link_.opened()) put_gap();
    if (!hand_over()) return {};
    link_.caught_up();
    for (;;) {
      while (const auto notification = listen.next()) {
        put(*notification);
        if (batch_.size() >= kBatchRecords && !hand_over()) return {};
      }
      if (!hand_over()) return {};
      RT_CHECKED(listen.wait());
    }
  }
  const Result<void>& taken() const { return taken_; }

 private:
  void put(const Notification& notification) {
    link_.received();
    body_.clear();
    archive::encode(
        body_, archive::NotifyBody{notification.channel, notification.payload, notification.pid});
    batch_.append({RecordKind::notify, false, 0, unix_us(clock_.wall()), body_});
    source_.events_.fetch_add(1, std::memory_order_relaxed);
  }
  void put_gap() {
    batch_.append({RecordKind::gap, false, 0, unix_us(clock_.wall()), kGap});
    source_.gaps_.fetch_add(1, std::memory_order_relaxed);
  }
  bool hand_over() {
    if (batch_.empty()) return true;
    taken_ = take_(batch_);
    batch_.clear();
    return taken_.has_value();
  }

  NotifySource& source_;
  const Take& take_;
  Reconnector& link_;
  int cancel_fd_;
  SystemClock clock_;
  RecordBatch batch_;
  std::string body_;
  Result<void> taken_;
};

Result<void> NotifySource::run(std::stop_token stop, const Take& take) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  const std::stop_callback on_stop(stop, [&wakeup] { wakeup.ring(); });
  Reconnector link(options_.reconnect, watch_, wakeup.fd());
  Session session(*this, take, link, wakeup.fd());
  const Result<void> ended = link.run([&session] { return session.run(); });
  if (!session.taken()) return session.taken();
  return stop.stop_requested() ? Result<void>() : ended;
}

}  // namespace rt
