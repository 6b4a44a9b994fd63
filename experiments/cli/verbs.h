#pragma once

#include <string>

namespace CLI {
class App;
}

namespace bitlaw {

/// The exit code of a program that a signal stopped: what shells report after Ctrl-C.
inline constexpr int kStopped = 130;
/// The exit code when what was asked was tried and failed in part.
inline constexpr int kSomeFailed = 1;

/// What a verb knows of the program and tells it.
struct Invocation {
  std::string command;  ///< what a shell would repeat it with
  int exit_code = 0;    ///< 0 done; 1 some run failed; 2 wrong input; 130 stopped, can be continued
};

/// Each adds its verb, which runs while the command line is parsed. `invocation` must outlive `app`.
void add_run_verb(CLI::App& app, Invocation& invocation);
void add_train_verb(CLI::App& app, Invocation& invocation);
void add_sweep_verb(CLI::App& app, Invocation& invocation);
void add_doctor_verb(CLI::App& app, Invocation& invocation);
void add_report_verb(CLI::App& app, Invocation& invocation);
void add_fit_verb(CLI::App& app, Invocation& invocation);
void add_evaluate_verb(CLI::App& app, Invocation& invocation);
void add_predict_verb(CLI::App& app, Invocation& invocation);
void add_conventions_verb(CLI::App& app, Invocation& invocation);
void add_coverage_verb(CLI::App& app, Invocation& invocation);
void add_compare_verb(CLI::App& app, Invocation& invocation);
void add_next_verb(CLI::App& app, Invocation& invocation);
void add_isoflop_verb(CLI::App& app, Invocation& invocation);
void add_collapse_verb(CLI::App& app, Invocation& invocation);
void add_formats_verb(CLI::App& app, Invocation& invocation);
void add_laws_verb(CLI::App& app, Invocation& invocation);
void add_quantize_verb(CLI::App& app, Invocation& invocation);
void add_gemm_verb(CLI::App& app, Invocation& invocation);
void add_kinetics_verb(CLI::App& app, Invocation& invocation);
void add_optimum_verb(CLI::App& app, Invocation& invocation);

/// Each adds its part to the verb `sweep`.
void add_sweep_files_verbs(CLI::App& sweep, Invocation& invocation);  ///< table, curves, merge, diff, gc
void add_sweep_status_verb(CLI::App& sweep, Invocation& invocation);
void add_sweep_submit_verb(CLI::App& sweep, Invocation& invocation);
void add_sweep_work_verb(CLI::App& sweep, Invocation& invocation);

/// Adds `schedule` to the verb `optimum`.
void add_optimum_schedule_verb(CLI::App& optimum);

/// Each adds its part to the verb `kinetics`.
void add_kinetics_cost_verb(CLI::App& kinetics, Invocation& invocation);
void add_kinetics_fit_verb(CLI::App& kinetics, Invocation& invocation);
void add_kinetics_frontier_verb(CLI::App& kinetics, Invocation& invocation);
void add_kinetics_simulate_verb(CLI::App& kinetics, Invocation& invocation);

}  // namespace bitlaw
