-- Health of Dryad's Environments and Deployments for Argo CD: resource.customizations.health.dryad.dev_Environment and
-- ….dryad.dev_Deployment in the ConfigMap argocd-cm. It goes by what kstatus goes by, so that Flux says the same.
local health = { status = "Progressing", message = "Dryad has not seen this yet" }
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
local says = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  says[condition.type] = condition
end
local function is(type, status)
  return says[type] ~= nil and says[type].status == status
end
if is("Reconciling", "True") then
  health.message = says.Reconciling.message
elseif is("Stalled", "True") then
  health.status = "Degraded"
  health.message = says.Stalled.message
elseif is("Ready", "True") then
  health.status = "Healthy"
  health.message = says.Ready.message
elseif says.Ready ~= nil then
  health.message = says.Ready.message
end
return health
