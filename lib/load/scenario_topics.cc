// The files of topics that a scenario names: read, held against the digest it may give, and put in
// the place of its numbered topics.
#include <fmt/format.h>

#include <limits>
#include <unordered_map>

#include "load/scenario_reader.h"
#include "load/topic_file.h"

namespace rt {
namespace {

// Every name of every file, once, in the order in which they come.
class Names {
 public:
  std::uint32_t number_of(const std::string& name) {
    const auto [place, is_new] =
        numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (is_new) names_.push_back(name);
    return place->second;
  }
  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

Result<void> load(JsonNode& node, const std::string& path, Choice& choice, Names& names) {
  auto file = read_topic_file(choice.file);
  if (!file) {
    Error error = file.error();
    error.text = fmt::format("{}: {}/file: {}", node.where, path, error.text);
    return fail(std::move(error));
  }
  if (const JsonNode* said = node.find("sha256"); said != nullptr && said->text != file->sha256) {
    return ObjectReader::wrong(*said, path + "/sha256",
                               fmt::format("{} is not the file that is meant: its SHA-256 is {}",
                                           choice.file, file->sha256));
  }
  auto weights = std::make_shared<TopicWeights>();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < file->names.size(); ++i) {
    weights->topics.push_back(names.number_of(file->names[i]));
    weights->up_to.push_back(sum += file->weights[i]);
  }
  choice.weights = std::move(weights);
  JsonNode digest;
  digest.kind = JsonNode::Kind::string;
  digest.text = file->sha256;
  digest.where = node.where;
  node.put("sha256", std::move(digest));
  return {};
}

// A topic has one producer, so that its events have an order.
Result<void> check_entries(const JsonNode& list, const std::vector<PublishSpec>& entries,
                           const std::vector<std::string>& names) {
  constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> owners(names.size(), kNobody);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto wrong = [&](std::string_view what) {
      return ObjectReader::wrong(list.items[i], fmt::format("/publish/{}/topic", i), what);
    };
    if (!entries[i].topic.weights) {
      return wrong("where one entry has its topics from a file, each of them needs a file");
    }
    for (const std::uint32_t topic : entries[i].topic.weights->topics) {
      if (owners[topic] != kNobody) {
        return wrong(
            fmt::format("topic \"{}\" is in the file of entry \"{}\" too: events of a "
                        "topic come from one producer, so that they have an order",
                        names[topic], entries[owners[topic]].id));
      }
      owners[topic] = i;
    }
  }
  return {};
}

}  // namespace

Result<void> load_topic_files(JsonNode& document, Scenario& scenario) {
  Names names;
  SubscriptionSpec& subscriptions = scenario.subscriptions;
  if (subscriptions.choice.kind == ChoiceKind::file) {
    RT_CHECKED(load(*document.find("subscriptions")->find("choice"), "/subscriptions/choice",
                    subscriptions.choice, names));
  }
  bool publishes = false;
  for (std::size_t i = 0; i < scenario.publish.size(); ++i) {
    PublishSpec& entry = scenario.publish[i];
    if (entry.topic.kind != ChoiceKind::file) continue;
    publishes = true;
    RT_CHECKED(load(*document.find("publish")->items[i].find("topic"),
                    fmt::format("/publish/{}/topic", i), entry.topic, names));
  }
  auto all = std::make_shared<const std::vector<std::string>>(names.take());
  if (all->empty()) return {};
  if (publishes) RT_CHECKED(check_entries(*document.find("publish"), scenario.publish, *all));
  if (all->size() > kMostTopics) {
    return ObjectReader::wrong(
        document, "/subscriptions",
        fmt::format("{} topics; at most {} are possible", all->size(), kMostTopics));
  }
  subscriptions.topics = all->size();
  subscriptions.names = std::move(all);
  return {};
}

}  // namespace rt
