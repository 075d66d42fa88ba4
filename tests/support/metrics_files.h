// SPDX-License-Identifier: Apache-2.0
// What conf/grafana-dashboard.json and conf/prometheus-alerts.yml ask Prometheus.
#pragma once

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace sealpost::test {

inline const std::string dashboard_file = SOURCE_DIR "/conf/grafana-dashboard.json";
inline const std::string alerts_file = SOURCE_DIR "/conf/prometheus-alerts.yml";

/// The dashboard's, with values in place of Grafana's variables.
inline std::vector<std::string> dashboard_expressions() {
  std::vector<std::string> all;
  const auto dashboard = Poco::JSON::Parser().parse(read_file(dashboard_file)).extract<Poco::JSON::Object::Ptr>();
  const auto panels = dashboard->getArray("panels");
  for (unsigned i = 0; i < panels->size(); ++i) {
    const auto targets = panels->getObject(i)->getArray("targets");
    for (unsigned k = 0; targets && k < targets->size(); ++k) {
      const auto text = targets->getObject(k)->getValue<std::string>("expr");
      all.push_back(std::regex_replace(std::regex_replace(text, std::regex(R"(\$__rate_interval)"), "5m"),
                                       std::regex(R"(\$instance)"), ".*"));
    }
  }
  return all;
}

struct AlertRule {
  std::string name;
  std::string expression;
};
/// In the order of the file.
inline std::vector<AlertRule> alert_rules() {
  std::vector<AlertRule> all;
  std::istringstream lines(read_file(alerts_file));
  const std::regex alert(R"(      - alert: (\w+))");
  const std::regex expression(R"(        expr: (\|)?(.*))");
  bool inside = false;  // an expression of several lines
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    inside = inside && line.starts_with("          ");
    if (inside) all.back().expression += line + " ";
    if (std::regex_match(line, match, alert)) all.push_back({match[1], {}});
    if (std::regex_match(line, match, expression)) {
      all.back().expression = match[2];
      inside = match[1].matched;
    }
  }
  return all;
}

}  // namespace sealpost::test
