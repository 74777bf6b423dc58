// Several producers as one: each owns the topics that a table says, or without one those whose
// number, divided by how many there are, leaves its own. So no topic has two producers, and its
// order is certain. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/event_producer.h"

namespace rt {

class ProducerGroup final : public EventProducer {
 public:
  // owners: of each topic, its member; or empty.
  ProducerGroup(std::vector<std::unique_ptr<EventProducer>> members,
                std::vector<std::uint32_t> owners, const Clock& clock)
      : members_(std::move(members)), owners_(std::move(owners)), clock_(clock) {}

  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override {
    for (const auto& member : members_) RT_CHECKED(member->prepare(topics, name_of, initial));
    return {};
  }
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override {
    const std::size_t owner = owners_.empty() ? topic % members_.size() : owners_[topic];
    members_[owner]->send(ticket, topic, payload);
  }
  // Each in turn for a moment: an answer may be seen that much later than it came.
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    const Instant now = clock_.now();
    for (const auto& member : members_) {
      const bool last = member == members_.back();
      RT_CHECKED(
          member->turn(last && answers.empty() ? std::min(until, now + kSlice) : now, answers));
    }
    return {};
  }
  const std::string& first_failure() const override {
    for (const auto& member : members_) {
      if (!member->first_failure().empty()) return member->first_failure();
    }
    return members_.front()->first_failure();
  }

 private:
  static constexpr Duration kSlice = std::chrono::milliseconds(1);

  std::vector<std::unique_ptr<EventProducer>> members_;
  std::vector<std::uint32_t> owners_;
  const Clock& clock_;
};

}  // namespace rt
