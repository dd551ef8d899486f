"""What both doors' callers may rely on, said once and asked of several clouds.

Each case is a function of a Cloud. `wrong_in_moto` marks what moto is known to get wrong, with the page of AWS's
documentation that says otherwise: the case then runs against the local cloud (and a real account) alone, and it is an
error if moto has learned it in the meantime.
"""

import time
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

CASES = []


def case(function):
    CASES.append((function, None))
    return function


def wrong_in_moto(documentation):
    def mark(function):
        CASES.append((function, documentation))
        return function

    return mark


@dataclass
class Cloud:
    """Clients of one cloud, and what a case may use there."""

    autoscaling: object
    ec2: object
    elb: object
    ssm: object
    sts: object
    vpc: str
    subnets: list
    image: str
    patience: float
    prefix: str
    undo: list = field(default_factory=list)

    def name(self, tail):
        return f"{self.prefix}-{tail}"

    def wait(self, what, until):
        """Looks until `until` gives something, at most as long as this cloud may take."""
        deadline = time.monotonic() + self.patience
        while not (result := until()):
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.05)
        return result

    def template(self, tail="lt", **data):
        data = {"ImageId": self.image, "InstanceType": "t3.micro", **data}
        made = self.ec2.create_launch_template(LaunchTemplateName=self.name(tail), LaunchTemplateData=data)
        made = made["LaunchTemplate"]
        self.undo.append(lambda: self.ec2.delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"]))
        return made

    def target_group(self, tail):
        made = self.elb.create_target_group(Name=self.name(tail), Protocol="HTTP", Port=8080, VpcId=self.vpc)
        arn = made["TargetGroups"][0]["TargetGroupArn"]
        self.undo.append(lambda: self.elb.delete_target_group(TargetGroupArn=arn))
        return arn

    def listener(self, *target_groups):
        made = self.elb.create_load_balancer(Name=self.name("lb"), Subnets=self.subnets)
        load_balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.undo.append(lambda: self.elb.delete_load_balancer(LoadBalancerArn=load_balancer))
        nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        made = self.elb.create_listener(
            LoadBalancerArn=load_balancer, Protocol="HTTP", Port=80, DefaultActions=[nothing]
        )
        return made["Listeners"][0]["ListenerArn"]

    def group(self, tail, template, size, **more):
        name = self.name(tail)
        request = {
            "AutoScalingGroupName": name,
            "LaunchTemplate": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": size,
            "VPCZoneIdentifier": ",".join(self.subnets),
            **more,
        }
        self.autoscaling.create_auto_scaling_group(**request)
        self.undo.append(lambda: self.remove(name))
        return name

    def remove(self, name):
        if self.find(name):
            self.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
            self.wait(f"{name} to be gone", lambda: not self.find(name))

    def find(self, name):
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return found[0] if found else None

    def in_service(self, name, count):
        def look():
            members = self.find(name)["Instances"]
            return len(members) == count and all(it["LifecycleState"] == "InService" for it in members)

        self.wait(f"{count} of {name} in service", look)

    def states(self, target_group):
        answer = self.elb.describe_target_health(TargetGroupArn=target_group)
        return sorted(it["TargetHealth"]["State"] for it in answer["TargetHealthDescriptions"])

    def clean(self):
        failures = []
        while self.undo:
            try:
                self.undo.pop()()
            except ClientError as error:
                failures.append(error)
        return failures


def forward(*weights):
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def refused(code, call, saying=""):
    try:
        call()
    except ClientError as error:
        got = error.response["Error"]
        assert got["Code"] == code, f"{code} wanted, {got['Code']} ({got['Message']}) got"
        assert saying in got["Message"], f"{saying!r} wanted in {got['Message']!r}"
    else:
        raise AssertionError(f"{code} wanted, but it was carried out")


PATH = [{"Field": "path-pattern", "Values": ["/*"]}]


@case
def a_group_comes_up_with_its_tags(cloud):
    tag = {"Key": "dryad.dev/turn", "Value": "7 <&> é", "PropagateAtLaunch": True}
    name = cloud.group("a", cloud.template(), 2, Tags=[tag])
    cloud.in_service(name, 2)
    group = cloud.find(name)
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 4, 2)
    assert [(it["Key"], it["Value"]) for it in group["Tags"]] == [("dryad.dev/turn", "7 <&> é")]
    assert "Status" not in group
    ids = [it["InstanceId"] for it in group["Instances"]]
    reservations = cloud.ec2.describe_instances(InstanceIds=ids)["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    assert {it["State"]["Name"] for it in instances} == {"running"}
    for instance in instances:
        tags = {it["Key"]: it["Value"] for it in instance["Tags"]}
        assert tags["aws:autoscaling:groupName"] == name and tags["dryad.dev/turn"] == "7 <&> é"
        assert instance["PrivateIpAddress"] and instance["ImageId"] == cloud.image


@case
def groups_are_found_by_tag_and_unknown_names_are_not_there(cloud):
    name = cloud.group("a", cloud.template(), 0, Tags=[{"Key": cloud.name("k"), "Value": "v"}])
    found = cloud.autoscaling.describe_auto_scaling_groups(Filters=[{"Name": f"tag:{cloud.name('k')}", "Values": ["v"]}])
    assert [it["AutoScalingGroupName"] for it in found["AutoScalingGroups"]] == [name]
    assert cloud.find(cloud.name("nobody")) is None


@case
def pages_hold_everything_once(cloud):
    template = cloud.template()
    names = {cloud.group(f"g{n}", template, 0, Tags=[{"Key": cloud.name("k"), "Value": "v"}]) for n in range(5)}
    pages = cloud.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        Filters=[{"Name": "tag-key", "Values": [cloud.name("k")]}], PaginationConfig={"PageSize": 2}
    )
    seen = [it["AutoScalingGroupName"] for page in pages for it in page["AutoScalingGroups"]]
    assert sorted(seen) == sorted(names)


@case
def groups_and_templates_are_found_by_all_of_their_tags(cloud):
    def tags(value):
        return [{"Key": cloud.name("k"), "Value": "v"}, {"Key": cloud.name("n"), "Value": value}]

    def filters(value):
        return [{"Name": f"tag:{tag['Key']}", "Values": [tag["Value"]]} for tag in tags(value)]

    def template(tail, value):
        made = cloud.ec2.create_launch_template(
            LaunchTemplateName=cloud.name(tail),
            LaunchTemplateData={"ImageId": cloud.image, "InstanceType": "t3.micro"},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags(value)}],
        )["LaunchTemplate"]
        cloud.undo.append(lambda: cloud.ec2.delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"]))
        return made

    names = [cloud.group(value, template(value, value), 0, Tags=tags(value)) for value in ("a", "b")]
    found = cloud.autoscaling.describe_auto_scaling_groups(Filters=filters("b"))["AutoScalingGroups"]
    assert [it["AutoScalingGroupName"] for it in found] == names[1:] and found[0]["CreatedTime"]
    found = cloud.ec2.describe_launch_templates(Filters=filters("b"))["LaunchTemplates"]
    assert [it["LaunchTemplateName"] for it in found] == [cloud.name("b")] and found[0]["CreateTime"]
    assert {(it["Key"], it["Value"]) for it in found[0]["Tags"]} == {(it["Key"], it["Value"]) for it in tags("b")}
    assert cloud.ec2.describe_launch_templates(Filters=filters("c"))["LaunchTemplates"] == []


@wrong_in_moto("https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html")
def a_taken_name_is_refused(cloud):
    template = cloud.template()
    cloud.group("a", template, 0)
    refused("AlreadyExists", lambda: cloud.group("a", template, 0))


@wrong_in_moto("https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html")
def bounds_must_hold(cloud):
    template = cloud.template()
    refused("ValidationError", lambda: cloud.group("a", template, 5))
    refused("ValidationError", lambda: cloud.group("a", template, 0, MinSize=5))
    refused("ValidationError", lambda: cloud.group("x" * 300, template, 0))


@wrong_in_moto("https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html")
def nothing_is_created_with_an_unknown_target_group(cloud):
    missing = cloud.target_group("tg")
    cloud.elb.delete_target_group(TargetGroupArn=missing)
    template = cloud.template()
    refused("ValidationError", lambda: cloud.group("a", template, 0, TargetGroupARNs=[missing]))
    assert cloud.find(cloud.name("a")) is None


@case
def changing_a_group_that_is_not_there_is_a_validation_error(cloud):
    nobody = cloud.name("nobody")
    for call in (
        lambda: cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName=nobody, MinSize=0),
        lambda: cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=nobody),
    ):
        refused("ValidationError", call, "not found")


@wrong_in_moto("https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html")
def a_group_with_instances_is_deleted_only_by_force(cloud):
    name = cloud.group("a", cloud.template(), 1)
    cloud.in_service(name, 1)
    refused("ResourceInUse", lambda: cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name))
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    assert cloud.find(name)["Status"] == "Delete in progress"
    cloud.wait("the group to be gone", lambda: not cloud.find(name))


@wrong_in_moto("https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-viewing-scaling-activities.html")
def every_launch_is_an_activity(cloud):
    name = cloud.group("a", cloud.template(), 2)
    cloud.in_service(name, 2)
    found = cloud.autoscaling.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]
    assert len(found) == 2 and {it["StatusCode"] for it in found} == {"Successful"}
    assert all(it["Description"].startswith("Launching a new EC2 instance: i-") for it in found)


@wrong_in_moto("https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html")
def a_version_takes_what_it_leaves_unset_from_its_source(cloud):
    template = cloud.template(UserData="ZWNobyBoZWxsbw==")
    made = cloud.ec2.create_launch_template_version(
        LaunchTemplateId=template["LaunchTemplateId"], SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.large"}
    )["LaunchTemplateVersion"]
    assert made["VersionNumber"] == 2 and not made["DefaultVersion"]
    data = made["LaunchTemplateData"]
    wanted = (cloud.image, "t3.large", "ZWNobyBoZWxsbw==")
    assert (data["ImageId"], data["InstanceType"], data["UserData"]) == wanted


@case
def a_version_goes_by_its_number_or_by_latest_or_default(cloud):
    template = cloud.template()["LaunchTemplateId"]
    second = {"ImageId": cloud.image, "InstanceType": "t3.large"}
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=second)

    def described(which):
        versions = cloud.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[which])
        return [(it["VersionNumber"], it["LaunchTemplateData"]["InstanceType"]) for it in versions["LaunchTemplateVersions"]]

    assert described("$Latest") == described("2") == [(2, "t3.large")]
    assert described("$Default") == described("1") == [(1, "t3.micro")]


@case
def launch_templates_that_are_not_there_have_their_own_codes(cloud):
    describe = cloud.ec2.describe_launch_templates
    refused("InvalidLaunchTemplateName.NotFoundException", lambda: describe(LaunchTemplateNames=[cloud.name("x")]))
    cloud.template()
    refused("InvalidLaunchTemplateName.AlreadyExistsException", cloud.template)


@case
def the_weights_of_a_rule_change_in_one_call(cloud):
    blue, green = cloud.target_group("blue"), cloud.target_group("green")
    listener = cloud.listener()
    rule = cloud.elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=PATH, Actions=forward((blue, 100), (green, 0))
    )["Rules"][0]["RuleArn"]
    cloud.elb.modify_rule(RuleArn=rule, Actions=forward((blue, 0), (green, 100)))
    found = cloud.elb.describe_rules(RuleArns=[rule])["Rules"][0]
    groups = found["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert [(it["TargetGroupArn"], it["Weight"]) for it in groups] == [(blue, 0), (green, 100)]
    assert found["Priority"] == "1" and not found["IsDefault"]
    rules = cloud.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [it["IsDefault"] for it in rules] == [False, True]
    refused("ResourceInUse", lambda: cloud.elb.delete_target_group(TargetGroupArn=green))
    again = {"ListenerArn": listener, "Priority": 1, "Conditions": PATH, "Actions": forward((blue, 1))}
    refused("PriorityInUse", lambda: cloud.elb.create_rule(**again))


@case
def rules_and_target_groups_show_their_tags(cloud):
    group = cloud.target_group("tagged")
    owner = [{"Key": "elbv2.k8s.aws/cluster", "Value": "blue"}]
    rule = cloud.elb.create_rule(
        ListenerArn=cloud.listener(), Priority=1, Conditions=PATH, Actions=forward((group, 1)), Tags=owner
    )["Rules"][0]["RuleArn"]

    def tags(arn):
        described = cloud.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        return [(it["ResourceArn"], it["Tags"]) for it in described]

    assert tags(rule) == [(rule, owner)]
    assert tags(group) == [(group, [])]


@wrong_in_moto("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html")
def weights_end_at_999_and_a_forward_at_five_groups(cloud):
    listener = cloud.listener()
    groups = [cloud.target_group(f"t{n}") for n in range(6)]

    def create(actions):
        cloud.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=PATH, Actions=actions)

    refused("ValidationError", lambda: create(forward((groups[0], 1000), (groups[1], 0))))
    refused("ValidationError", lambda: create(forward(*((arn, 1) for arn in groups))))


@wrong_in_moto("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html")
def targets_are_unused_then_initial_then_draining_then_gone(cloud):
    target_group = cloud.target_group("tg")
    name = cloud.group("a", cloud.template(), 1, TargetGroupARNs=[target_group], HealthCheckType="ELB")
    cloud.in_service(name, 1)
    cloud.wait("the target to be registered", lambda: cloud.states(target_group) == ["unused"])
    cloud.elb.create_rule(
        ListenerArn=cloud.listener(), Priority=1, Conditions=PATH, Actions=forward((target_group, 0))
    )
    cloud.wait("the first check", lambda: cloud.states(target_group) == ["initial"])
    cloud.autoscaling.detach_load_balancer_target_groups(
        AutoScalingGroupName=name, TargetGroupARNs=[target_group]
    )
    cloud.wait("draining", lambda: cloud.states(target_group) == ["draining"])
    cloud.wait("the end of draining", lambda: cloud.states(target_group) == [])
    assert cloud.find(name)["TargetGroupARNs"] == []


@case
def parameters_have_versions_and_are_not_overwritten_by_accident(cloud):
    name = f"/{cloud.prefix}/deployed"
    put = cloud.ssm.put_parameter
    assert put(Name=name, Value="1", Type="String")["Version"] == 1
    cloud.undo.append(lambda: cloud.ssm.delete_parameter(Name=name))
    refused("ParameterAlreadyExists", lambda: put(Name=name, Value="2", Type="String"))
    assert put(Name=name, Value="2", Type="String", Overwrite=True)["Version"] == 2
    got = cloud.ssm.get_parameter(Name=name)["Parameter"]
    assert (got["Value"], got["Version"], got["Type"]) == ("2", 2, "String")
    assert cloud.ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Value"] == "1"
    refused("ParameterNotFound", lambda: cloud.ssm.get_parameter(Name=f"{name}-not"))


@case
def a_parameter_tells_its_type_and_goes_whole(cloud):
    for kind in ("String", "StringList"):
        name = f"/{cloud.prefix}/{kind}"
        cloud.ssm.put_parameter(Name=name, Value="a", Type=kind)
        assert cloud.ssm.get_parameter(Name=name)["Parameter"]["Type"] == kind
        cloud.ssm.delete_parameter(Name=name)
        refused("ParameterNotFound", lambda: cloud.ssm.get_parameter(Name=name))
        refused("ParameterNotFound", lambda: cloud.ssm.delete_parameter(Name=name))


@wrong_in_moto("https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html")
def a_standard_parameter_holds_4_kb(cloud):
    name = f"/{cloud.prefix}/large"
    refused("ValidationException", lambda: cloud.ssm.put_parameter(Name=name, Value="x" * 4097, Type="String"))


@case
def a_caller_knows_its_account(cloud):
    identity = cloud.sts.get_caller_identity()
    assert len(identity["Account"]) == 12 and identity["Arn"].startswith("arn:aws:")
