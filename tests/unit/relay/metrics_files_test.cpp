// SPDX-License-Identifier: Apache-2.0
// conf/prometheus-alerts.yml and conf/grafana-dashboard.json, judged by promtool: each alert fires and stays silent as
// it should, and Prometheus understands whatever the dashboard asks. That the relay has all that they name is the
// end-to-end test's matter.
#include "tests/support/metrics_files.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/process.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;

const std::string cases_file = TEST_DATA "/prometheus/alerts_test.yml";

TEST(AlertRules, PromtoolFindsNoFault) {
  const auto checked = run({"promtool", "check", "rules", alerts_file});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("SUCCESS: " + std::to_string(alert_rules().size()) + " rules found"));
}

TEST(AlertRules, FireAndStaySilentAsTheyShould) {
  const auto tested = run({"promtool", "test", "rules", cases_file});
  EXPECT_EQ(tested.status, 0) << tested.out << tested.err;
}

TEST(AlertRules, EachHasACaseInWhichItFiresAndOneInWhichItIsSilent) {
  const std::string cases = read_file(cases_file);
  const std::regex judged(R"(        alertname: (\w+)\n        exp_alerts:( \[\])?\n)");
  std::multiset<std::string> fire;
  std::multiset<std::string> silent;
  for (std::sregex_iterator at(cases.begin(), cases.end(), judged), end; at != end; ++at) {
    ((*at)[2].matched ? silent : fire).insert((*at)[1]);
  }
  std::multiset<std::string> wanted;
  for (const auto& rule : alert_rules()) wanted.insert(rule.name);
  EXPECT_GT(wanted.size(), 10U);
  EXPECT_EQ(fire, wanted);
  EXPECT_EQ(silent, wanted);
}

/// Prometheus names no value that an alert would have missed: what is silent here must be so for its own reason.
TEST(AlertRules, TheirCasesSpeakOfWhatTheirExpressionsName) {
  const std::string cases = read_file(cases_file);
  for (const auto& rule : alert_rules()) {
    const auto begin = cases.find("name: " + rule.name + " is silent");
    ASSERT_NE(begin, std::string::npos) << rule.name;
    const std::string silent = cases.substr(begin, cases.find("alert_rule_test", begin) - begin);
    const std::regex metric(R"(\b(sealpost_\w+|up)\b)");
    for (std::sregex_iterator at(rule.expression.begin(), rule.expression.end(), metric), end; at != end; ++at) {
      if ((*at)[1] == "sealpost") continue;
      EXPECT_THAT(silent, HasSubstr("'" + (*at)[1].str() + "{")) << rule.name;
    }
  }
}

TEST(Dashboard, PrometheusUnderstandsEveryExpression) {
  const auto expressions = dashboard_expressions();
  EXPECT_GT(expressions.size(), 30U);
  const TempDir dir;
  std::string rules = "groups:\n  - name: dashboard\n    rules:\n";
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    rules += "      - record: expression:" + std::to_string(i) + "\n        expr: '" + expressions[i] + "'\n";
  }
  const auto checked = run({"promtool", "check", "rules", dir.write("rules.yml", rules)});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("SUCCESS: " + std::to_string(expressions.size()) + " rules found"));
}

TEST(Dashboard, AsksTheDataSourceThatItsUserChooses) {
  const std::string text = read_file(dashboard_file);
  const std::regex uid(R"re("type": "prometheus",\s*"uid": "([^"]*)")re");
  std::size_t found = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), uid), end; at != end; ++at, ++found) {
    EXPECT_EQ((*at)[1], "${datasource}");
  }
  EXPECT_GT(found, dashboard_expressions().size()) << "each panel and each question";
}

TEST(Dashboard, PanelsHaveNamesOfTheirOwnAndDoNotOverlap) {
  const auto dashboard = Poco::JSON::Parser().parse(read_file(dashboard_file)).extract<Poco::JSON::Object::Ptr>();
  const auto panels = dashboard->getArray("panels");
  std::set<int> ids;
  std::set<std::pair<int, int>> taken;
  for (unsigned i = 0; i < panels->size(); ++i) {
    const auto panel = panels->getObject(i);
    const auto place = panel->getObject("gridPos");
    const std::string title = panel->getValue<std::string>("title");
    EXPECT_TRUE(ids.insert(panel->getValue<int>("id")).second) << title;
    for (int x = 0; x < place->getValue<int>("w"); ++x) {
      for (int y = 0; y < place->getValue<int>("h"); ++y) {
        const int column = place->getValue<int>("x") + x;
        EXPECT_LT(column, 24) << title;
        EXPECT_TRUE(taken.insert({column, place->getValue<int>("y") + y}).second) << title;
      }
    }
  }
}

}  // namespace
}  // namespace sealpost::test
