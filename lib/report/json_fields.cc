#include "report/json_fields.h"

#include <array>

#include "report/hdr_encoding.h"

namespace rt {
namespace {

constexpr char kLayout[] = "hdr-v2-us";

Json sums_json(const Histogram::Sparse& sparse, std::string encoded) {
  return {
      {"layout", kLayout},         {"counts", std::move(encoded)}, {"negatives", sparse.negatives},
      {"clamped", sparse.clamped}, {"sum_us", sparse.sum_us},      {"min_us", sparse.min_us},
      {"max_us", sparse.max_us}};
}

}  // namespace

Json finite_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json latency_summary(const Histogram& histogram, std::uint64_t missing) {
  constexpr std::array<std::pair<const char*, double>, 5> kQuantiles = {
      {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}}};
  const auto ms = [](double us) { return finite_json(us / 1000); };
  Json percentiles = Json::object();
  Json infinite = Json::array();
  for (const auto& [name, quantile] : kQuantiles) {
    const double us = histogram.percentile_us(quantile, missing);
    percentiles[name] = ms(us);
    if (std::isinf(us)) infinite.push_back(name);
  }
  const bool nothing = histogram.empty() && missing == 0;
  percentiles["max"] =
      nothing || missing > 0 ? Json(nullptr) : ms(static_cast<double>(histogram.max_us()));
  if (missing > 0) infinite.push_back("max");
  return {
      {"count", histogram.count()},
      {"missing", missing},
      {"percentiles", percentiles},
      {"infinite", infinite},
      {"min", nothing ? Json(nullptr) : ms(static_cast<double>(histogram.min_us()))},
      {"mean", nothing ? Json(nullptr) : ms(histogram.mean_us())},
      {"largest_received", nothing ? Json(nullptr) : ms(static_cast<double>(histogram.max_us()))},
      {"negatives", histogram.negatives()}};
}

Json histogram_json(const Histogram& histogram) {
  if (histogram.empty()) return nullptr;
  return sums_json(histogram.sparse(), hdr_base64(histogram));
}

void JsonWriter::slots(const char* name, const Histogram::Sparse& sparse) {
  const auto histogram = Histogram::from_sparse(sparse);
  node_[name] = histogram ? histogram_json(*histogram) : Json(nullptr);
}

const Json* JsonReader::find(const char* name) const {
  const auto at = node_.find(name);
  if (at != node_.end()) return &*at;
  complain(name, "is missing");
  return nullptr;
}

void JsonReader::complain(const char* name, const char* what) const {
  if (wrong_.empty()) wrong_ = path_ + "/" + name + " " + what;
}

void JsonReader::real(const char* name, double& out) const {
  const Json* found = find(name);
  if (found == nullptr) return;
  if (found->is_null()) {
    out = std::numeric_limits<double>::quiet_NaN();
  } else {
    value(name, out);
  }
}

void JsonReader::ms(const char* name, double& us) const {
  real(name, us);
  us = std::round(us * 1e6) / 1e3;
}

void JsonReader::whole_ms(const char* name, std::int64_t& us) const {
  double exact = 0;
  ms(name, exact);
  us = std::llround(exact);
}

void JsonReader::slots(const char* name, Histogram::Sparse& out) const {
  const Json* found = find(name);
  if (found == nullptr || found->is_null()) return;
  std::string encoded;
  object(name, [&](const JsonReader& in) { in.value("counts", encoded); });
  auto slots = slots_of_hdr_base64(encoded);
  if (!slots) return complain(name, slots.error().text.c_str());
  out = std::move(*slots);
  object(name, [&](const JsonReader& in) {
    in.value("negatives", out.negatives);
    in.value("clamped", out.clamped);
    in.value("sum_us", out.sum_us);
    in.value("min_us", out.min_us);
    in.value("max_us", out.max_us);
  });
}

void JsonReader::counts(const char* name, Histogram& out) const {
  Histogram::Sparse sparse;
  slots(name, sparse);
  auto histogram = Histogram::from_sparse(sparse);
  if (!histogram) return complain(name, histogram.error().text.c_str());
  out = std::move(*histogram);
}

}  // namespace rt
