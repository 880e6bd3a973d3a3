#include "proxy/admin/explain_api.h"

#include <memory>
#include <utility>

#include "proxy/admin/explain_body.h"
#include "proxy/admin/explain_json.h"
#include "proxy/flow/outlook.h"

namespace weir::admin {
namespace {

// A question on its way through the tiers.
struct Asked {
  std::shared_ptr<const flow::LoopSite> site;  // holds what `planned` points to
  flow::AskedRequest request;
  flow::Planned planned;
};

Reply reply_of(const Asked& asked, const flow::Outlook& outlook, const flow::Standing* standing) {
  const flow::Explanation explanation =
      flow::explain(asked.request, asked.planned, outlook.form, *asked.site->site);
  return {.body = text_of(explanation_json(explanation, outlook, standing))};
}

}  // namespace

std::optional<Reply> explain(const Request& request, Asker asker, flow::WorkerContext& worker) {
  const auto question = read_explain(request.body);
  if (!question) return error_reply(400, question.error().field, question.error().message);
  auto read = flow::read_question(*question, *worker.site->site->config);
  if (!read) return error_reply(400, read.error().field, read.error().message);
  auto asked = std::make_shared<Asked>(Asked{worker.site, std::move(*read), {}});
  asked->planned = flow::plan_question(asked->request, *asked->site->site);
  const flow::RequestPlan& plan = asked->planned.plan;
  if (plan.answered_here || plan.kind == policy::RequestClass::Bypass) {
    return reply_of(*asked, flow::outlook_of_first(asked->request, asked->planned), nullptr);
  }
  flow::StoredQuestion wanted{.site = asked->site,
                              .route = plan.route,
                              .head = flow::OwnedHead(asked->request.head.get()),
                              .key = flow::OwnedKey(asked->planned.key.view())};
  worker.looks.start(std::move(wanted), [asked, asker = std::move(asker), &worker](
                                            const flow::StoredQuestion&,
                                            const flow::StoredFindings& findings) mutable {
    const flow::Look look =
        flow::look_at(asked->request, asked->planned, findings, worker.tables, worker.loop.clock());
    asker.answer(reply_of(*asked, look.outlook, &look.standing));
  });
  return std::nullopt;
}

}  // namespace weir::admin
