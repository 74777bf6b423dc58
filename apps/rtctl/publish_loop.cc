#include "rtctl/publish_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "cli/stop_watch.h"
#include "io/wakeup.h"
#include "pipe/pacer.h"
#include "rtctl/publish_report.h"

namespace rt::rtctl {
namespace {

// Sends what the input yields, until there is no more of it or a limit is reached.
class PublishLoop {
 public:
  PublishLoop(const PublishFlags& flags, const PublishLimits& limits, PublishRoute route,
              PublishInput input, std::stop_token stop, int cancel_fd)
      : flags_(flags),
        limits_(limits),
        route_(std::move(route)),
        input_(std::move(input)),
        stop_(std::move(stop)),
        cancel_fd_(cancel_fd),
        random_(Random::of(limits.seed, "publish")),
        report_(report_options(flags, limits), clock_) {}

  Result<void> run() {
    const TemplateValues first = values_of(1, random_uuid(random_));
    const auto check = [&](std::string_view text) -> Result<void> {
      RT_TRY(route_.shape(text, first));
      return {};
    };
    RT_CHECKED(input_.try_out(first, random_, check));
    if (!flags_.dry_run) RT_CHECKED(prepare());
    started_ = clock_.now();
    if (limits_.duration) deadline_ = started_ + *limits_.duration;
    for (number_ = 1; !limits_.count || number_ <= *limits_.count; ++number_) {
      const Result<bool> more = next();
      if (!more && more.error().code == Code::cancelled) break;
      if (!more) return fail(in_place(more.error()));
      if (!*more) break;
      collect();
      report_.tick();
    }
    return await_all();
  }

  PublishReport& report() { return report_; }
  const std::optional<Error>& first_error() const { return first_error_; }

 private:
  static ReportOptions report_options(const PublishFlags& flags, const PublishLimits& limits) {
    ReportOptions options;
    options.tee = flags.tee;
    options.json = flags.json;
    options.quiet = flags.quiet;
    options.dry_run = flags.dry_run;
    options.paced = limits.rate.has_value();
    options.planned = limits.count;
    return options;
  }

  TemplateValues values_of(std::uint64_t number, const std::array<char, 36>& uuid) const {
    return {number, clock_.wall(), uuid, {}};
  }

  Result<void> prepare() {
    if (limits_.await && !route_.echo.after_receipt) {
      echo_.emplace(route_.echo);
      RT_CHECKED(echo_->open({}, *limits_.await, stop_));
    }
    return route_.sink->connect();
  }

  // One message; false when there are no more.
  Result<bool> next() {
    if (stop_.stop_requested() || (deadline_ && clock_.now() >= *deadline_)) return false;
    if (!RT_TRY(input_.fetch())) return false;
    const Instant due = RT_TRY(wait_for_turn());
    if (deadline_ && due >= *deadline_) return false;
    TemplateValues values = values_of(number_, random_uuid(random_));
    const std::string_view text = RT_TRY(input_.compose(values, random_));
    const PublishMessage message = RT_TRY(route_.shape(text, values));
    if (flags_.dry_run) {
      report_.would_send(number_, message);
      return true;
    }
    return send(message, due);
  }

  // When this message is due by the schedule, once that time has come; now, if there is none.
  Result<Instant> wait_for_turn() {
    const Instant now = clock_.now();
    if (!limits_.rate) return now;
    // Lines that come late move the schedule: what was not there could not be sent.
    const auto offset_us = static_cast<std::int64_t>(
        std::llround(static_cast<double>(number_ - 1) * 1e6 / *limits_.rate));
    Instant due = pacer_.due(offset_us, now) + shift_;
    if (input_.reads_lines() && due < now) {
      shift_ += now - due;
      due = now;
    }
    const Instant until = deadline_ ? std::min(due, *deadline_) : due;
    for (Instant at = now; at < until; at = clock_.now()) {
      const auto left = std::min<Duration>(until - at, std::chrono::hours(1));
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec timeout{seconds.count(), (left - seconds).count()};
      pollfd cancel{cancel_fd_, POLLIN, 0};
      if (::ppoll(&cancel, 1, &timeout, nullptr) > 0) return fail(Code::cancelled, "interrupted");
    }
    return due;
  }

  Result<bool> send(const PublishMessage& message, Instant due) {
    if (echo_) echo_->expect(message.key, number_, due);
    const Instant begun = clock_.now();
    const Result<PublishReceipt> receipt = route_.sink->send(message);
    const Instant done = clock_.now();
    if (!receipt) {
      if (echo_) echo_->forget(message.key, number_);
      return give_up_or_go_on(receipt.error());
    }
    last_sent_ = done;
    report_.sent(number_, message, *receipt, done - begun, begun - due);
    if (limits_.await && route_.echo.after_receipt) RT_CHECKED(await_one(receipt->id, begun));
    return true;
  }

  // On a schedule, a peer that is away for a while is part of what is measured.
  Result<bool> give_up_or_go_on(const Error& error) {
    if (error.code == Code::cancelled) return fail(error);
    if (!limits_.rate || error.code != Code::unreachable) {
      report_.failed();
      return fail(error);
    }
    report_.failed();
    if (!first_error_) first_error_ = error;
    return true;
  }

  // A stream that is known only now.
  Result<void> await_one(const std::string& id, Instant since) {
    if (id.empty()) {
      return fail(Code::refused, "cannot wait for the message: the answer names no id");
    }
    EchoWatch one(route_.echo);
    one.expect(id, number_, since);
    RT_CHECKED(one.open(id, *limits_.await, stop_));
    one.wait(since + *limits_.await, stop_);
    for (const EchoWatch::Back& back : one.collect()) report_.returned(back);
    missing_ += one.missing();
    return {};
  }

  void collect() {
    if (!echo_) return;
    for (const EchoWatch::Back& back : echo_->collect()) report_.returned(back);
  }

  Result<void> await_all() {
    if (echo_) {
      const Instant deadline = last_sent_ + *limits_.await;
      while (echo_->missing() > 0 && echo_->wait(deadline, stop_)) collect();
      collect();
      missing_ = echo_->missing();
    }
    if (missing_ == 0 || stop_.stop_requested()) return {};
    std::string why =
        fmt::format("within {} s", std::chrono::duration<double>(*limits_.await).count());
    if (echo_ && echo_->failure()) why = "before the subscription ended: " + echo_->failure()->text;
    return fail(Code::negative,
                fmt::format("{} of {} message{} did not come back {}", missing_,
                            report_.sent_count(), report_.sent_count() == 1 ? "" : "s", why));
  }

  Error in_place(const Error& error) const {
    const std::string place = input_.place();
    Error out = error;
    if (!place.empty()) return std::move(out).context(place);
    if (number_ > 1) return std::move(out).context(fmt::format("message {}", number_));
    return out;
  }

  const PublishFlags& flags_;
  const PublishLimits& limits_;
  PublishRoute route_;
  PublishInput input_;
  std::stop_token stop_;
  int cancel_fd_;
  SystemClock clock_;
  Random random_;
  PublishReport report_;
  Pacer pacer_{PacerOptions{}};
  Duration shift_{0};
  Instant started_;
  Instant last_sent_;
  std::optional<Instant> deadline_;
  std::optional<EchoWatch> echo_;
  std::optional<Error> first_error_;
  std::uint64_t number_ = 0;
  std::uint64_t missing_ = 0;
};

Result<int> outcome(PublishLoop& loop, const Result<void>& ran, const cli::StopWatch& watch) {
  const bool interrupted = watch.cause() == cli::StopCause::interrupted;
  using End = PublishReport::End;
  loop.report().finish(interrupted ? End::interrupted : ran ? End::done : End::failed);
  if (interrupted) return watch.signal_status();
  if (!ran) return fail(ran.error());
  if (!loop.first_error()) return 0;
  return fail(
      Error(*loop.first_error())
          .context(fmt::format("{} of {} messages failed, the first", loop.report().error_count(),
                               loop.report().error_count() + loop.report().sent_count())));
}

}  // namespace

Result<int> run_publish(const PublishFlags& flags, const PublishVerb& verb) {
  const PublishLimits limits = RT_TRY(publish_limits(flags));
  RouteRequest request;
  request.via = RT_TRY(choose_via(flags, verb.name, verb.vias, verb.insert_by_environment));
  io::Wakeup bell = RT_TRY(io::Wakeup::create());
  request.cancel_fd = bell.fd();
  PublishRoute route = RT_TRY(verb.route(request));
  const bool repeat = limits.count || limits.duration;
  std::optional<Instant> deadline;
  if (limits.duration) deadline = SystemClock().now() + *limits.duration;
  PublishInput input =
      RT_TRY(open_input(flags, {verb.composer, verb.without_data, repeat, bell.fd(), deadline}));
  const auto watch = RT_TRY(cli::StopWatch::start({}));
  const std::stop_callback ring(watch->token(), [&bell] { bell.ring(); });
  PublishLoop loop(flags, limits, std::move(route), std::move(input), watch->token(), bell.fd());
  const Result<void> ran = loop.run();
  return outcome(loop, ran, *watch);
}

}  // namespace rt::rtctl
