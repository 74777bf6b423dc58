// Two ways through one description: JsonWriter turns fields into JSON, JsonReader turns them back.
// A template that names each field once (outcome_fields.h) works with both, so that what is
// written can be read. Internal to lib/report; any thread.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "load/histogram.h"

namespace rt {

using Json = nlohmann::ordered_json;

// null for what is not finite: JSON has no infinity.
Json finite_json(double value);
// Percentiles and the like of a latency of which `missing` values never came, without counts.
Json latency_summary(const Histogram& histogram, std::uint64_t missing);
// The counts, or null when there are none.
Json histogram_json(const Histogram& histogram);

class JsonWriter {
 public:
  explicit JsonWriter(Json& node) : node_(node) {}

  // Of a field that older reports do not have.
  bool has(const char*) const { return true; }

  template <typename T>
  void value(const char* name, const T& value) {
    node_[name] = value;
  }
  void real(const char* name, double value) { node_[name] = finite_json(value); }
  void ms(const char* name, double us) { node_[name] = finite_json(us / 1000); }
  void whole_ms(const char* name, std::int64_t us) { ms(name, static_cast<double>(us)); }
  // 0 stands for "not measured", and is null.
  template <typename T>
  void known(const char* name, const T& value) {
    node_[name] = value > 0 ? Json(value) : Json(nullptr);
  }
  template <typename T>
  void maybe(const char* name, const std::optional<T>& value) {
    node_[name] = value ? Json(*value) : Json(nullptr);
  }
  void counts(const char* name, const Histogram& histogram) {
    node_[name] = histogram_json(histogram);
  }
  void slots(const char* name, const Histogram::Sparse& sparse);
  // Into this object itself.
  void latency(const Histogram& histogram, std::uint64_t missing) {
    node_.update(latency_summary(histogram, missing));
    counts("hist", histogram);
  }
  void latency(const char* name, const Histogram& histogram, std::uint64_t missing = 0) {
    object(name, [&](JsonWriter& in) { in.latency(histogram, missing); });
  }
  // For readers of the report only: follows from other fields.
  template <typename T>
  void computed(const char* name, const T& value) {
    node_[name] = value;
  }
  template <typename Fields>
  void object(const char* name, Fields fields) {
    Json inner = Json::object();
    JsonWriter in(inner);
    fields(in);
    node_[name] = std::move(inner);
  }
  template <typename T, typename Fields>
  void list(const char* name, const std::vector<T>& items, Fields fields) {
    Json all = Json::array();
    for (const T& item : items) {
      Json inner = Json::object();
      JsonWriter in(inner);
      fields(in, item);
      all.push_back(std::move(inner));
    }
    node_[name] = std::move(all);
  }

 private:
  Json& node_;
};

// Keeps going after an error and remembers the first: wrong() is empty when all was well.
class JsonReader {
 public:
  JsonReader(const Json& node, std::string path, std::string& wrong)
      : node_(node), path_(std::move(path)), wrong_(wrong) {}

  bool has(const char* name) const { return node_.contains(name); }

  template <typename T>
  void value(const char* name, T& out) const {
    const Json* found = find(name);
    if (found == nullptr) return;
    try {
      found->get_to(out);
    } catch (const Json::exception&) {
      complain(name, "has the wrong type");
    }
  }
  void real(const char* name, double& out) const;
  // A thousandth of a microsecond is what milliseconds in decimal notation carry over.
  void ms(const char* name, double& us) const;
  void whole_ms(const char* name, std::int64_t& us) const;
  template <typename T>
  void known(const char* name, T& out) const {
    const Json* found = find(name);
    if (found != nullptr && !found->is_null()) value(name, out);
  }
  template <typename T>
  void maybe(const char* name, std::optional<T>& out) const {
    const Json* found = find(name);
    if (found != nullptr && !found->is_null()) value(name, out.emplace());
  }
  void counts(const char* name, Histogram& out) const;
  void slots(const char* name, Histogram::Sparse& out) const;
  void latency(Histogram& out, std::uint64_t) const { counts("hist", out); }
  void latency(const char* name, Histogram& out, std::uint64_t = 0) const {
    object(name, [&](const JsonReader& in) { in.counts("hist", out); });
  }
  template <typename T>
  void computed(const char*, const T&) const {}
  template <typename Fields>
  void object(const char* name, Fields fields) const {
    const Json* found = find(name);
    if (found == nullptr) return;
    if (!found->is_object()) return complain(name, "is not an object");
    JsonReader in(*found, path_ + "/" + name, wrong_);
    fields(in);
  }
  template <typename T, typename Fields>
  void list(const char* name, std::vector<T>& items, Fields fields) const {
    const Json* found = find(name);
    if (found == nullptr) return;
    if (!found->is_array()) return complain(name, "is not a list");
    items.clear();
    for (std::size_t i = 0; i < found->size(); ++i) {
      JsonReader in((*found)[i], path_ + "/" + name + "/" + std::to_string(i), wrong_);
      fields(in, items.emplace_back());
    }
  }
  // nullptr, and a complaint, when it is not there.
  const Json* find(const char* name) const;
  void complain(const char* name, const char* what) const;

 private:
  const Json& node_;
  std::string path_;
  std::string& wrong_;
};

}  // namespace rt
