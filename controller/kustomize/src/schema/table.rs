//! Made by `examples/generate-schema.rs`; do not edit.

use super::Field;

/// Kinds outside namespaces.
#[rustfmt::skip]
pub(super) const CLUSTER_SCOPED: &[&str] = &[
    "/v1/ComponentStatus",
    "/v1/Namespace",
    "/v1/Node",
    "/v1/PersistentVolume",
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1/CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1/CustomResourceDefinition",
    "apiregistration.k8s.io/v1/APIService",
    "certificates.k8s.io/v1/CertificateSigningRequest",
    "networking.k8s.io/v1/IngressClass",
    "node.k8s.io/v1/RuntimeClass",
    "policy/v1beta1/PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1beta1/ClusterRole",
    "rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding",
    "scheduling.k8s.io/v1/PriorityClass",
    "scheduling.k8s.io/v1beta1/PriorityClass",
    "storage.k8s.io/v1/CSIDriver",
    "storage.k8s.io/v1/CSINode",
    "storage.k8s.io/v1/StorageClass",
    "storage.k8s.io/v1/VolumeAttachment",
    "storage.k8s.io/v1beta1/StorageClass",
];

/// Kinds with lists that are merged, and their types.
#[rustfmt::skip]
pub(super) const KINDS: &[(&str, usize)] = &[
    ("/v1/Binding", 86),
    ("/v1/ComponentStatus", 87),
    ("/v1/ComponentStatusList", 88),
    ("/v1/ConfigMap", 89),
    ("/v1/ConfigMapList", 90),
    ("/v1/Endpoints", 93),
    ("/v1/EndpointsList", 94),
    ("/v1/Event", 97),
    ("/v1/EventList", 98),
    ("/v1/LimitRange", 99),
    ("/v1/LimitRangeList", 100),
    ("/v1/Namespace", 101),
    ("/v1/NamespaceList", 102),
    ("/v1/Node", 104),
    ("/v1/NodeList", 106),
    ("/v1/PersistentVolume", 109),
    ("/v1/PersistentVolumeClaim", 110),
    ("/v1/PersistentVolumeClaimList", 111),
    ("/v1/PersistentVolumeList", 114),
    ("/v1/Pod", 115),
    ("/v1/PodList", 116),
    ("/v1/PodTemplate", 119),
    ("/v1/PodTemplateList", 120),
    ("/v1/ReplicationController", 123),
    ("/v1/ReplicationControllerList", 124),
    ("/v1/ResourceQuota", 127),
    ("/v1/ResourceQuotaList", 128),
    ("/v1/Secret", 129),
    ("/v1/SecretList", 130),
    ("/v1/Service", 131),
    ("/v1/ServiceAccount", 132),
    ("/v1/ServiceAccountList", 133),
    ("/v1/ServiceList", 134),
    ("admissionregistration.k8s.io/v1/MutatingAdmissionPolicy", 0),
    ("admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding", 1),
    ("admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBindingList", 2),
    ("admissionregistration.k8s.io/v1/MutatingAdmissionPolicyList", 3),
    ("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", 6),
    ("admissionregistration.k8s.io/v1/MutatingWebhookConfigurationList", 7),
    ("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", 8),
    ("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding", 9),
    ("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBindingList", 10),
    ("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyList", 11),
    ("admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration", 14),
    ("admissionregistration.k8s.io/v1/ValidatingWebhookConfigurationList", 15),
    ("admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy", 16),
    ("admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding", 17),
    ("admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBindingList", 18),
    ("admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyList", 19),
    ("admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy", 21),
    ("admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding", 22),
    ("admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBindingList", 23),
    ("admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyList", 24),
    ("admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration", 6),
    ("admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration", 14),
    ("apiextensions.k8s.io/v1/CustomResourceDefinition", 265),
    ("apiextensions.k8s.io/v1/CustomResourceDefinitionList", 266),
    ("apiextensions.k8s.io/v1beta1/CustomResourceDefinition", 265),
    ("apiregistration.k8s.io/v1/APIService", 272),
    ("apiregistration.k8s.io/v1/APIServiceList", 273),
    ("apps/v1/ControllerRevision", 28),
    ("apps/v1/ControllerRevisionList", 29),
    ("apps/v1/DaemonSet", 30),
    ("apps/v1/DaemonSetList", 31),
    ("apps/v1/Deployment", 34),
    ("apps/v1/DeploymentList", 35),
    ("apps/v1/ReplicaSet", 38),
    ("apps/v1/ReplicaSetList", 39),
    ("apps/v1/StatefulSet", 42),
    ("apps/v1/StatefulSetList", 43),
    ("authentication.k8s.io/v1/SelfSubjectReview", 46),
    ("authentication.k8s.io/v1/TokenRequest", 47),
    ("authentication.k8s.io/v1/TokenReview", 48),
    ("authorization.k8s.io/v1/LocalSubjectAccessReview", 49),
    ("authorization.k8s.io/v1/SelfSubjectAccessReview", 50),
    ("authorization.k8s.io/v1/SelfSubjectRulesReview", 51),
    ("authorization.k8s.io/v1/SubjectAccessReview", 52),
    ("autoscaling/v1/HorizontalPodAutoscaler", 53),
    ("autoscaling/v1/HorizontalPodAutoscalerList", 54),
    ("autoscaling/v1/Scale", 55),
    ("autoscaling/v2/HorizontalPodAutoscaler", 56),
    ("autoscaling/v2/HorizontalPodAutoscalerList", 57),
    ("batch/v1/CronJob", 59),
    ("batch/v1/CronJobList", 60),
    ("batch/v1/Job", 62),
    ("batch/v1/JobList", 63),
    ("batch/v1beta1/CronJob", 59),
    ("certificates.k8s.io/v1/CertificateSigningRequest", 68),
    ("certificates.k8s.io/v1/CertificateSigningRequestList", 69),
    ("certificates.k8s.io/v1/ClusterTrustBundle", 70),
    ("certificates.k8s.io/v1/ClusterTrustBundleList", 71),
    ("certificates.k8s.io/v1/PodCertificateRequest", 72),
    ("certificates.k8s.io/v1/PodCertificateRequestList", 73),
    ("certificates.k8s.io/v1beta1/ClusterTrustBundle", 75),
    ("certificates.k8s.io/v1beta1/ClusterTrustBundleList", 76),
    ("certificates.k8s.io/v1beta1/PodCertificateRequest", 77),
    ("certificates.k8s.io/v1beta1/PodCertificateRequestList", 78),
    ("coordination.k8s.io/v1/Lease", 80),
    ("coordination.k8s.io/v1/LeaseList", 81),
    ("coordination.k8s.io/v1alpha2/LeaseCandidate", 82),
    ("coordination.k8s.io/v1alpha2/LeaseCandidateList", 83),
    ("coordination.k8s.io/v1beta1/LeaseCandidate", 84),
    ("coordination.k8s.io/v1beta1/LeaseCandidateList", 85),
    ("discovery.k8s.io/v1/EndpointSlice", 139),
    ("discovery.k8s.io/v1/EndpointSliceList", 140),
    ("discovery.k8s.io/v1beta1/EndpointSlice", 139),
    ("events.k8s.io/v1/Event", 141),
    ("events.k8s.io/v1/EventList", 142),
    ("extensions/v1beta1/Ingress", 157),
    ("flowcontrol.apiserver.k8s.io/v1/FlowSchema", 143),
    ("flowcontrol.apiserver.k8s.io/v1/FlowSchemaList", 144),
    ("flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration", 146),
    ("flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfigurationList", 147),
    ("internal.apiserver.k8s.io/v1alpha1/StorageVersion", 26),
    ("internal.apiserver.k8s.io/v1alpha1/StorageVersionList", 27),
    ("lifecycle.k8s.io/v1alpha1/Eviction", 149),
    ("lifecycle.k8s.io/v1alpha1/EvictionList", 150),
    ("lifecycle.k8s.io/v1alpha1/EvictionRequest", 151),
    ("lifecycle.k8s.io/v1alpha1/EvictionRequestList", 152),
    ("networking.k8s.io/v1/IPAddress", 155),
    ("networking.k8s.io/v1/IPAddressList", 156),
    ("networking.k8s.io/v1/Ingress", 157),
    ("networking.k8s.io/v1/IngressClass", 158),
    ("networking.k8s.io/v1/IngressClassList", 159),
    ("networking.k8s.io/v1/IngressList", 160),
    ("networking.k8s.io/v1/NetworkPolicy", 161),
    ("networking.k8s.io/v1/NetworkPolicyList", 162),
    ("networking.k8s.io/v1/ServiceCIDR", 163),
    ("networking.k8s.io/v1/ServiceCIDRList", 164),
    ("networking.k8s.io/v1beta1/Ingress", 157),
    ("node.k8s.io/v1/RuntimeClass", 166),
    ("node.k8s.io/v1/RuntimeClassList", 167),
    ("policy/v1/Eviction", 168),
    ("policy/v1/PodDisruptionBudget", 169),
    ("policy/v1/PodDisruptionBudgetList", 170),
    ("policy/v1beta1/PodDisruptionBudget", 169),
    ("rbac.authorization.k8s.io/v1/ClusterRole", 172),
    ("rbac.authorization.k8s.io/v1/ClusterRoleBinding", 173),
    ("rbac.authorization.k8s.io/v1/ClusterRoleBindingList", 174),
    ("rbac.authorization.k8s.io/v1/ClusterRoleList", 175),
    ("rbac.authorization.k8s.io/v1/Role", 176),
    ("rbac.authorization.k8s.io/v1/RoleBinding", 177),
    ("rbac.authorization.k8s.io/v1/RoleBindingList", 178),
    ("rbac.authorization.k8s.io/v1/RoleList", 179),
    ("rbac.authorization.k8s.io/v1beta1/ClusterRole", 172),
    ("rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding", 173),
    ("resource.k8s.io/v1/DeviceClass", 180),
    ("resource.k8s.io/v1/DeviceClassList", 181),
    ("resource.k8s.io/v1/DeviceTaintRule", 182),
    ("resource.k8s.io/v1/DeviceTaintRuleList", 183),
    ("resource.k8s.io/v1/ResourceClaim", 185),
    ("resource.k8s.io/v1/ResourceClaimList", 186),
    ("resource.k8s.io/v1/ResourceClaimTemplate", 188),
    ("resource.k8s.io/v1/ResourceClaimTemplateList", 189),
    ("resource.k8s.io/v1/ResourceSlice", 191),
    ("resource.k8s.io/v1/ResourceSliceList", 192),
    ("resource.k8s.io/v1alpha3/DeviceTaintRule", 193),
    ("resource.k8s.io/v1alpha3/DeviceTaintRuleList", 194),
    ("resource.k8s.io/v1alpha3/ResourcePoolStatusRequest", 196),
    ("resource.k8s.io/v1alpha3/ResourcePoolStatusRequestList", 197),
    ("resource.k8s.io/v1beta1/DeviceClass", 199),
    ("resource.k8s.io/v1beta1/DeviceClassList", 200),
    ("resource.k8s.io/v1beta1/ResourceClaim", 201),
    ("resource.k8s.io/v1beta1/ResourceClaimList", 202),
    ("resource.k8s.io/v1beta1/ResourceClaimTemplate", 204),
    ("resource.k8s.io/v1beta1/ResourceClaimTemplateList", 205),
    ("resource.k8s.io/v1beta1/ResourceSlice", 207),
    ("resource.k8s.io/v1beta1/ResourceSliceList", 208),
    ("resource.k8s.io/v1beta2/DeviceClass", 209),
    ("resource.k8s.io/v1beta2/DeviceClassList", 210),
    ("resource.k8s.io/v1beta2/DeviceTaintRule", 211),
    ("resource.k8s.io/v1beta2/DeviceTaintRuleList", 212),
    ("resource.k8s.io/v1beta2/ResourceClaim", 214),
    ("resource.k8s.io/v1beta2/ResourceClaimList", 215),
    ("resource.k8s.io/v1beta2/ResourceClaimTemplate", 217),
    ("resource.k8s.io/v1beta2/ResourceClaimTemplateList", 218),
    ("resource.k8s.io/v1beta2/ResourceSlice", 220),
    ("resource.k8s.io/v1beta2/ResourceSliceList", 221),
    ("scheduling.k8s.io/v1/PriorityClass", 222),
    ("scheduling.k8s.io/v1/PriorityClassList", 223),
    ("scheduling.k8s.io/v1alpha3/CompositePodGroup", 224),
    ("scheduling.k8s.io/v1alpha3/CompositePodGroupList", 225),
    ("scheduling.k8s.io/v1alpha3/PodGroup", 228),
    ("scheduling.k8s.io/v1alpha3/PodGroupList", 229),
    ("scheduling.k8s.io/v1alpha3/Workload", 233),
    ("scheduling.k8s.io/v1alpha3/WorkloadList", 234),
    ("scheduling.k8s.io/v1beta1/PodGroup", 237),
    ("scheduling.k8s.io/v1beta1/PodGroupList", 238),
    ("scheduling.k8s.io/v1beta1/PriorityClass", 222),
    ("scheduling.k8s.io/v1beta1/Workload", 242),
    ("scheduling.k8s.io/v1beta1/WorkloadList", 243),
    ("storage.k8s.io/v1/CSIDriver", 245),
    ("storage.k8s.io/v1/CSIDriverList", 246),
    ("storage.k8s.io/v1/CSINode", 247),
    ("storage.k8s.io/v1/CSINodeList", 248),
    ("storage.k8s.io/v1/CSIStorageCapacity", 251),
    ("storage.k8s.io/v1/CSIStorageCapacityList", 252),
    ("storage.k8s.io/v1/StorageClass", 253),
    ("storage.k8s.io/v1/StorageClassList", 254),
    ("storage.k8s.io/v1/VolumeAttachment", 255),
    ("storage.k8s.io/v1/VolumeAttachmentList", 256),
    ("storage.k8s.io/v1/VolumeAttributesClass", 257),
    ("storage.k8s.io/v1/VolumeAttributesClassList", 258),
    ("storage.k8s.io/v1beta1/StorageClass", 253),
    ("storagemigration.k8s.io/v1/StorageVersionMigration", 259),
    ("storagemigration.k8s.io/v1/StorageVersionMigrationList", 260),
    ("storagemigration.k8s.io/v1beta1/StorageVersionMigration", 262),
    ("storagemigration.k8s.io/v1beta1/StorageVersionMigrationList", 263),
];

/// Types, sorted by name, with the fields that matter for merging.
#[rustfmt::skip]
pub(super) const TYPES: &[(&str, &[Field])] = &[
    ("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(4) },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingList", &[
        Field { name: "items", merge: None, of: Some(1) },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyList", &[
        Field { name: "items", merge: None, of: Some(0) },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingWebhook", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "webhooks", merge: Some(&["name"]), of: Some(5) },
    ]),
    ("io.k8s.api.admissionregistration.v1.MutatingWebhookConfigurationList", &[
        Field { name: "items", merge: None, of: Some(6) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(12) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingList", &[
        Field { name: "items", merge: None, of: Some(9) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyList", &[
        Field { name: "items", merge: None, of: Some(8) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
        Field { name: "variables", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingWebhook", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "webhooks", merge: Some(&["name"]), of: Some(13) },
    ]),
    ("io.k8s.api.admissionregistration.v1.ValidatingWebhookConfigurationList", &[
        Field { name: "items", merge: None, of: Some(14) },
    ]),
    ("io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicy", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(20) },
    ]),
    ("io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicyBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicyBindingList", &[
        Field { name: "items", merge: None, of: Some(17) },
    ]),
    ("io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicyList", &[
        Field { name: "items", merge: None, of: Some(16) },
    ]),
    ("io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicySpec", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicy", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(25) },
    ]),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBindingList", &[
        Field { name: "items", merge: None, of: Some(22) },
    ]),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyList", &[
        Field { name: "items", merge: None, of: Some(21) },
    ]),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicySpec", &[
        Field { name: "matchConditions", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.apiserverinternal.v1alpha1.StorageVersion", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.apiserverinternal.v1alpha1.StorageVersionList", &[
        Field { name: "items", merge: None, of: Some(26) },
    ]),
    ("io.k8s.api.apps.v1.ControllerRevision", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.apps.v1.ControllerRevisionList", &[
        Field { name: "items", merge: None, of: Some(28) },
    ]),
    ("io.k8s.api.apps.v1.DaemonSet", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(32) },
        Field { name: "status", merge: None, of: Some(33) },
    ]),
    ("io.k8s.api.apps.v1.DaemonSetList", &[
        Field { name: "items", merge: None, of: Some(30) },
    ]),
    ("io.k8s.api.apps.v1.DaemonSetSpec", &[
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.apps.v1.DaemonSetStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.apps.v1.Deployment", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(36) },
        Field { name: "status", merge: None, of: Some(37) },
    ]),
    ("io.k8s.api.apps.v1.DeploymentList", &[
        Field { name: "items", merge: None, of: Some(34) },
    ]),
    ("io.k8s.api.apps.v1.DeploymentSpec", &[
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.apps.v1.DeploymentStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.apps.v1.ReplicaSet", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(40) },
        Field { name: "status", merge: None, of: Some(41) },
    ]),
    ("io.k8s.api.apps.v1.ReplicaSetList", &[
        Field { name: "items", merge: None, of: Some(38) },
    ]),
    ("io.k8s.api.apps.v1.ReplicaSetSpec", &[
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.apps.v1.ReplicaSetStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.apps.v1.StatefulSet", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(44) },
        Field { name: "status", merge: None, of: Some(45) },
    ]),
    ("io.k8s.api.apps.v1.StatefulSetList", &[
        Field { name: "items", merge: None, of: Some(42) },
    ]),
    ("io.k8s.api.apps.v1.StatefulSetSpec", &[
        Field { name: "template", merge: None, of: Some(121) },
        Field { name: "volumeClaimTemplates", merge: None, of: Some(110) },
    ]),
    ("io.k8s.api.apps.v1.StatefulSetStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.authentication.v1.SelfSubjectReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authentication.v1.TokenRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authentication.v1.TokenReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authorization.v1.LocalSubjectAccessReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authorization.v1.SelfSubjectAccessReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authorization.v1.SelfSubjectRulesReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.authorization.v1.SubjectAccessReview", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerList", &[
        Field { name: "items", merge: None, of: Some(53) },
    ]),
    ("io.k8s.api.autoscaling.v1.Scale", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(58) },
    ]),
    ("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerList", &[
        Field { name: "items", merge: None, of: Some(56) },
    ]),
    ("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.batch.v1.CronJob", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(61) },
    ]),
    ("io.k8s.api.batch.v1.CronJobList", &[
        Field { name: "items", merge: None, of: Some(59) },
    ]),
    ("io.k8s.api.batch.v1.CronJobSpec", &[
        Field { name: "jobTemplate", merge: None, of: Some(67) },
    ]),
    ("io.k8s.api.batch.v1.Job", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(65) },
        Field { name: "status", merge: None, of: Some(66) },
    ]),
    ("io.k8s.api.batch.v1.JobList", &[
        Field { name: "items", merge: None, of: Some(62) },
    ]),
    ("io.k8s.api.batch.v1.JobSchedulingConfiguration", &[
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.batch.v1.JobSpec", &[
        Field { name: "scheduling", merge: None, of: Some(64) },
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.batch.v1.JobStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.batch.v1.JobTemplateSpec", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(65) },
    ]),
    ("io.k8s.api.certificates.v1.CertificateSigningRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.certificates.v1.CertificateSigningRequestList", &[
        Field { name: "items", merge: None, of: Some(68) },
    ]),
    ("io.k8s.api.certificates.v1.ClusterTrustBundle", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.certificates.v1.ClusterTrustBundleList", &[
        Field { name: "items", merge: None, of: Some(70) },
    ]),
    ("io.k8s.api.certificates.v1.PodCertificateRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(74) },
    ]),
    ("io.k8s.api.certificates.v1.PodCertificateRequestList", &[
        Field { name: "items", merge: None, of: Some(72) },
    ]),
    ("io.k8s.api.certificates.v1.PodCertificateRequestStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.certificates.v1beta1.ClusterTrustBundle", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.certificates.v1beta1.ClusterTrustBundleList", &[
        Field { name: "items", merge: None, of: Some(75) },
    ]),
    ("io.k8s.api.certificates.v1beta1.PodCertificateRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(79) },
    ]),
    ("io.k8s.api.certificates.v1beta1.PodCertificateRequestList", &[
        Field { name: "items", merge: None, of: Some(77) },
    ]),
    ("io.k8s.api.certificates.v1beta1.PodCertificateRequestStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.coordination.v1.Lease", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.coordination.v1.LeaseList", &[
        Field { name: "items", merge: None, of: Some(80) },
    ]),
    ("io.k8s.api.coordination.v1alpha2.LeaseCandidate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.coordination.v1alpha2.LeaseCandidateList", &[
        Field { name: "items", merge: None, of: Some(82) },
    ]),
    ("io.k8s.api.coordination.v1beta1.LeaseCandidate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.coordination.v1beta1.LeaseCandidateList", &[
        Field { name: "items", merge: None, of: Some(84) },
    ]),
    ("io.k8s.api.core.v1.Binding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.ComponentStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.ComponentStatusList", &[
        Field { name: "items", merge: None, of: Some(87) },
    ]),
    ("io.k8s.api.core.v1.ConfigMap", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.ConfigMapList", &[
        Field { name: "items", merge: None, of: Some(89) },
    ]),
    ("io.k8s.api.core.v1.Container", &[
        Field { name: "env", merge: Some(&["name"]), of: None },
        Field { name: "ports", merge: Some(&["containerPort", "protocol"]), of: None },
        Field { name: "volumeDevices", merge: Some(&["devicePath"]), of: None },
        Field { name: "volumeMounts", merge: Some(&["mountPath"]), of: None },
    ]),
    ("io.k8s.api.core.v1.ContainerStatus", &[
        Field { name: "allocatedResourcesStatus", merge: Some(&["name"]), of: None },
        Field { name: "volumeMounts", merge: Some(&["mountPath"]), of: None },
    ]),
    ("io.k8s.api.core.v1.Endpoints", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.EndpointsList", &[
        Field { name: "items", merge: None, of: Some(93) },
    ]),
    ("io.k8s.api.core.v1.EphemeralContainer", &[
        Field { name: "env", merge: Some(&["name"]), of: None },
        Field { name: "ports", merge: Some(&["containerPort", "protocol"]), of: None },
        Field { name: "volumeDevices", merge: Some(&["devicePath"]), of: None },
        Field { name: "volumeMounts", merge: Some(&["mountPath"]), of: None },
    ]),
    ("io.k8s.api.core.v1.EphemeralVolumeSource", &[
        Field { name: "volumeClaimTemplate", merge: None, of: Some(113) },
    ]),
    ("io.k8s.api.core.v1.Event", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.EventList", &[
        Field { name: "items", merge: None, of: Some(97) },
    ]),
    ("io.k8s.api.core.v1.LimitRange", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.LimitRangeList", &[
        Field { name: "items", merge: None, of: Some(99) },
    ]),
    ("io.k8s.api.core.v1.Namespace", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(103) },
    ]),
    ("io.k8s.api.core.v1.NamespaceList", &[
        Field { name: "items", merge: None, of: Some(101) },
    ]),
    ("io.k8s.api.core.v1.NamespaceStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.core.v1.Node", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(107) },
        Field { name: "status", merge: None, of: Some(108) },
    ]),
    ("io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus", &[
        Field { name: "mapping", merge: Some(&["name"]), of: None },
        Field { name: "overhead", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.core.v1.NodeList", &[
        Field { name: "items", merge: None, of: Some(104) },
    ]),
    ("io.k8s.api.core.v1.NodeSpec", &[
        Field { name: "podCIDRs", merge: Some(&[]), of: None },
    ]),
    ("io.k8s.api.core.v1.NodeStatus", &[
        Field { name: "addresses", merge: Some(&["type"]), of: None },
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.core.v1.PersistentVolume", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.PersistentVolumeClaim", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(112) },
    ]),
    ("io.k8s.api.core.v1.PersistentVolumeClaimList", &[
        Field { name: "items", merge: None, of: Some(110) },
    ]),
    ("io.k8s.api.core.v1.PersistentVolumeClaimStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "healthStatus", merge: None, of: Some(138) },
    ]),
    ("io.k8s.api.core.v1.PersistentVolumeClaimTemplate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.PersistentVolumeList", &[
        Field { name: "items", merge: None, of: Some(109) },
    ]),
    ("io.k8s.api.core.v1.Pod", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(117) },
        Field { name: "status", merge: None, of: Some(118) },
    ]),
    ("io.k8s.api.core.v1.PodList", &[
        Field { name: "items", merge: None, of: Some(115) },
    ]),
    ("io.k8s.api.core.v1.PodSpec", &[
        Field { name: "containers", merge: Some(&["name"]), of: Some(91) },
        Field { name: "ephemeralContainers", merge: Some(&["name"]), of: Some(95) },
        Field { name: "evictionResponders", merge: Some(&["name"]), of: None },
        Field { name: "hostAliases", merge: Some(&["ip"]), of: None },
        Field { name: "imagePullSecrets", merge: Some(&["name"]), of: None },
        Field { name: "initContainers", merge: Some(&["name"]), of: Some(91) },
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
        Field { name: "schedulingGates", merge: Some(&["name"]), of: None },
        Field { name: "topologySpreadConstraints", merge: Some(&["topologyKey", "whenUnsatisfiable"]), of: None },
        Field { name: "volumes", merge: Some(&["name"]), of: Some(137) },
    ]),
    ("io.k8s.api.core.v1.PodStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "containerStatuses", merge: None, of: Some(92) },
        Field { name: "ephemeralContainerStatuses", merge: None, of: Some(92) },
        Field { name: "hostIPs", merge: Some(&["ip"]), of: None },
        Field { name: "initContainerStatuses", merge: None, of: Some(92) },
        Field { name: "nodeAllocatableResourceClaimStatuses", merge: Some(&["resourceClaimName"]), of: Some(105) },
        Field { name: "podIPs", merge: Some(&["ip"]), of: None },
        Field { name: "resourceClaimStatuses", merge: Some(&["name"]), of: None },
        Field { name: "volumeHealth", merge: None, of: Some(122) },
    ]),
    ("io.k8s.api.core.v1.PodTemplate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.core.v1.PodTemplateList", &[
        Field { name: "items", merge: None, of: Some(119) },
    ]),
    ("io.k8s.api.core.v1.PodTemplateSpec", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(117) },
    ]),
    ("io.k8s.api.core.v1.PodVolumeHealth", &[
        Field { name: "healthConditions", merge: Some(&["status", "reason"]), of: None },
    ]),
    ("io.k8s.api.core.v1.ReplicationController", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(125) },
        Field { name: "status", merge: None, of: Some(126) },
    ]),
    ("io.k8s.api.core.v1.ReplicationControllerList", &[
        Field { name: "items", merge: None, of: Some(123) },
    ]),
    ("io.k8s.api.core.v1.ReplicationControllerSpec", &[
        Field { name: "template", merge: None, of: Some(121) },
    ]),
    ("io.k8s.api.core.v1.ReplicationControllerStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.core.v1.ResourceQuota", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.ResourceQuotaList", &[
        Field { name: "items", merge: None, of: Some(127) },
    ]),
    ("io.k8s.api.core.v1.Secret", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.core.v1.SecretList", &[
        Field { name: "items", merge: None, of: Some(129) },
    ]),
    ("io.k8s.api.core.v1.Service", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(135) },
        Field { name: "status", merge: None, of: Some(136) },
    ]),
    ("io.k8s.api.core.v1.ServiceAccount", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "secrets", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.core.v1.ServiceAccountList", &[
        Field { name: "items", merge: None, of: Some(132) },
    ]),
    ("io.k8s.api.core.v1.ServiceList", &[
        Field { name: "items", merge: None, of: Some(131) },
    ]),
    ("io.k8s.api.core.v1.ServiceSpec", &[
        Field { name: "ports", merge: Some(&["port", "protocol"]), of: None },
    ]),
    ("io.k8s.api.core.v1.ServiceStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.core.v1.Volume", &[
        Field { name: "ephemeral", merge: None, of: Some(96) },
    ]),
    ("io.k8s.api.core.v1.VolumeHealthStatus", &[
        Field { name: "healthConditions", merge: Some(&["status", "reason"]), of: None },
    ]),
    ("io.k8s.api.discovery.v1.EndpointSlice", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.discovery.v1.EndpointSliceList", &[
        Field { name: "items", merge: None, of: Some(139) },
    ]),
    ("io.k8s.api.events.v1.Event", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.events.v1.EventList", &[
        Field { name: "items", merge: None, of: Some(141) },
    ]),
    ("io.k8s.api.flowcontrol.v1.FlowSchema", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(145) },
    ]),
    ("io.k8s.api.flowcontrol.v1.FlowSchemaList", &[
        Field { name: "items", merge: None, of: Some(143) },
    ]),
    ("io.k8s.api.flowcontrol.v1.FlowSchemaStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(148) },
    ]),
    ("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationList", &[
        Field { name: "items", merge: None, of: Some(146) },
    ]),
    ("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.Eviction", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(154) },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.EvictionList", &[
        Field { name: "items", merge: None, of: Some(149) },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.EvictionRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(153) },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.EvictionRequestList", &[
        Field { name: "items", merge: None, of: Some(151) },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.EvictionRequestStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.lifecycle.v1alpha1.EvictionStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "requesters", merge: Some(&["name"]), of: None },
        Field { name: "responders", merge: Some(&["name"]), of: None },
        Field { name: "targetResponders", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.networking.v1.IPAddress", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.networking.v1.IPAddressList", &[
        Field { name: "items", merge: None, of: Some(155) },
    ]),
    ("io.k8s.api.networking.v1.Ingress", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.networking.v1.IngressClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.networking.v1.IngressClassList", &[
        Field { name: "items", merge: None, of: Some(158) },
    ]),
    ("io.k8s.api.networking.v1.IngressList", &[
        Field { name: "items", merge: None, of: Some(157) },
    ]),
    ("io.k8s.api.networking.v1.NetworkPolicy", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.networking.v1.NetworkPolicyList", &[
        Field { name: "items", merge: None, of: Some(161) },
    ]),
    ("io.k8s.api.networking.v1.ServiceCIDR", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(165) },
    ]),
    ("io.k8s.api.networking.v1.ServiceCIDRList", &[
        Field { name: "items", merge: None, of: Some(163) },
    ]),
    ("io.k8s.api.networking.v1.ServiceCIDRStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.node.v1.RuntimeClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.node.v1.RuntimeClassList", &[
        Field { name: "items", merge: None, of: Some(166) },
    ]),
    ("io.k8s.api.policy.v1.Eviction", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.policy.v1.PodDisruptionBudget", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(171) },
    ]),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetList", &[
        Field { name: "items", merge: None, of: Some(169) },
    ]),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.rbac.v1.ClusterRole", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.rbac.v1.ClusterRoleBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.rbac.v1.ClusterRoleBindingList", &[
        Field { name: "items", merge: None, of: Some(173) },
    ]),
    ("io.k8s.api.rbac.v1.ClusterRoleList", &[
        Field { name: "items", merge: None, of: Some(172) },
    ]),
    ("io.k8s.api.rbac.v1.Role", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.rbac.v1.RoleBinding", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.rbac.v1.RoleBindingList", &[
        Field { name: "items", merge: None, of: Some(177) },
    ]),
    ("io.k8s.api.rbac.v1.RoleList", &[
        Field { name: "items", merge: None, of: Some(176) },
    ]),
    ("io.k8s.api.resource.v1.DeviceClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1.DeviceClassList", &[
        Field { name: "items", merge: None, of: Some(180) },
    ]),
    ("io.k8s.api.resource.v1.DeviceTaintRule", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(184) },
    ]),
    ("io.k8s.api.resource.v1.DeviceTaintRuleList", &[
        Field { name: "items", merge: None, of: Some(182) },
    ]),
    ("io.k8s.api.resource.v1.DeviceTaintRuleStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaim", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(187) },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaimList", &[
        Field { name: "items", merge: None, of: Some(185) },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaimStatus", &[
        Field { name: "reservedFor", merge: Some(&["uid"]), of: None },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaimTemplate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(190) },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaimTemplateList", &[
        Field { name: "items", merge: None, of: Some(188) },
    ]),
    ("io.k8s.api.resource.v1.ResourceClaimTemplateSpec", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1.ResourceSlice", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1.ResourceSliceList", &[
        Field { name: "items", merge: None, of: Some(191) },
    ]),
    ("io.k8s.api.resource.v1alpha3.DeviceTaintRule", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(195) },
    ]),
    ("io.k8s.api.resource.v1alpha3.DeviceTaintRuleList", &[
        Field { name: "items", merge: None, of: Some(193) },
    ]),
    ("io.k8s.api.resource.v1alpha3.DeviceTaintRuleStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequest", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(198) },
    ]),
    ("io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestList", &[
        Field { name: "items", merge: None, of: Some(196) },
    ]),
    ("io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.resource.v1beta1.DeviceClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta1.DeviceClassList", &[
        Field { name: "items", merge: None, of: Some(199) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaim", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(203) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaimList", &[
        Field { name: "items", merge: None, of: Some(201) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaimStatus", &[
        Field { name: "reservedFor", merge: Some(&["uid"]), of: None },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaimTemplate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(206) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaimTemplateList", &[
        Field { name: "items", merge: None, of: Some(204) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceClaimTemplateSpec", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceSlice", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta1.ResourceSliceList", &[
        Field { name: "items", merge: None, of: Some(207) },
    ]),
    ("io.k8s.api.resource.v1beta2.DeviceClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta2.DeviceClassList", &[
        Field { name: "items", merge: None, of: Some(209) },
    ]),
    ("io.k8s.api.resource.v1beta2.DeviceTaintRule", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(213) },
    ]),
    ("io.k8s.api.resource.v1beta2.DeviceTaintRuleList", &[
        Field { name: "items", merge: None, of: Some(211) },
    ]),
    ("io.k8s.api.resource.v1beta2.DeviceTaintRuleStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaim", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(216) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaimList", &[
        Field { name: "items", merge: None, of: Some(214) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaimStatus", &[
        Field { name: "reservedFor", merge: Some(&["uid"]), of: None },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaimTemplate", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(219) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaimTemplateList", &[
        Field { name: "items", merge: None, of: Some(217) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceClaimTemplateSpec", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceSlice", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.resource.v1beta2.ResourceSliceList", &[
        Field { name: "items", merge: None, of: Some(220) },
    ]),
    ("io.k8s.api.scheduling.v1.PriorityClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.scheduling.v1.PriorityClassList", &[
        Field { name: "items", merge: None, of: Some(222) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.CompositePodGroup", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(226) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.CompositePodGroupList", &[
        Field { name: "items", merge: None, of: Some(224) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.CompositePodGroupStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.CompositePodGroupTemplate", &[
        Field { name: "compositePodGroupTemplates", merge: None, of: Some(227) },
        Field { name: "podGroupTemplates", merge: None, of: Some(232) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.PodGroup", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(230) },
        Field { name: "status", merge: None, of: Some(231) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.PodGroupList", &[
        Field { name: "items", merge: None, of: Some(228) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.PodGroupSpec", &[
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.PodGroupStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "resourceClaimStatuses", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.PodGroupTemplate", &[
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.Workload", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(235) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.WorkloadList", &[
        Field { name: "items", merge: None, of: Some(233) },
    ]),
    ("io.k8s.api.scheduling.v1alpha3.WorkloadSpec", &[
        Field { name: "compositePodGroupTemplates", merge: None, of: Some(227) },
        Field { name: "podGroupTemplates", merge: None, of: Some(232) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.CompositePodGroupTemplate", &[
        Field { name: "compositePodGroupTemplates", merge: None, of: Some(236) },
        Field { name: "podGroupTemplates", merge: None, of: Some(241) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.PodGroup", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(239) },
        Field { name: "status", merge: None, of: Some(240) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.PodGroupList", &[
        Field { name: "items", merge: None, of: Some(237) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.PodGroupSpec", &[
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1beta1.PodGroupStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
        Field { name: "resourceClaimStatuses", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1beta1.PodGroupTemplate", &[
        Field { name: "resourceClaims", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.scheduling.v1beta1.Workload", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(244) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.WorkloadList", &[
        Field { name: "items", merge: None, of: Some(242) },
    ]),
    ("io.k8s.api.scheduling.v1beta1.WorkloadSpec", &[
        Field { name: "compositePodGroupTemplates", merge: None, of: Some(236) },
        Field { name: "podGroupTemplates", merge: None, of: Some(241) },
    ]),
    ("io.k8s.api.storage.v1.CSIDriver", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.storage.v1.CSIDriverList", &[
        Field { name: "items", merge: None, of: Some(245) },
    ]),
    ("io.k8s.api.storage.v1.CSINode", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(249) },
        Field { name: "status", merge: None, of: Some(250) },
    ]),
    ("io.k8s.api.storage.v1.CSINodeList", &[
        Field { name: "items", merge: None, of: Some(247) },
    ]),
    ("io.k8s.api.storage.v1.CSINodeSpec", &[
        Field { name: "drivers", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.storage.v1.CSINodeStatus", &[
        Field { name: "storageHealth", merge: Some(&["name"]), of: None },
    ]),
    ("io.k8s.api.storage.v1.CSIStorageCapacity", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.storage.v1.CSIStorageCapacityList", &[
        Field { name: "items", merge: None, of: Some(251) },
    ]),
    ("io.k8s.api.storage.v1.StorageClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.storage.v1.StorageClassList", &[
        Field { name: "items", merge: None, of: Some(253) },
    ]),
    ("io.k8s.api.storage.v1.VolumeAttachment", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.storage.v1.VolumeAttachmentList", &[
        Field { name: "items", merge: None, of: Some(255) },
    ]),
    ("io.k8s.api.storage.v1.VolumeAttributesClass", &[
        Field { name: "metadata", merge: None, of: Some(271) },
    ]),
    ("io.k8s.api.storage.v1.VolumeAttributesClassList", &[
        Field { name: "items", merge: None, of: Some(257) },
    ]),
    ("io.k8s.api.storagemigration.v1.StorageVersionMigration", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(261) },
    ]),
    ("io.k8s.api.storagemigration.v1.StorageVersionMigrationList", &[
        Field { name: "items", merge: None, of: Some(259) },
    ]),
    ("io.k8s.api.storagemigration.v1.StorageVersionMigrationStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.api.storagemigration.v1beta1.StorageVersionMigration", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(264) },
    ]),
    ("io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationList", &[
        Field { name: "items", merge: None, of: Some(262) },
    ]),
    ("io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "spec", merge: None, of: Some(267) },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList", &[
        Field { name: "items", merge: None, of: Some(265) },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", &[
        Field { name: "versions", merge: None, of: Some(268) },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", &[
        Field { name: "schema", merge: None, of: Some(269) },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation", &[
        Field { name: "openAPIV3Schema", merge: None, of: Some(270) },
    ]),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps", &[
        Field { name: "allOf", merge: None, of: Some(270) },
        Field { name: "anyOf", merge: None, of: Some(270) },
        Field { name: "definitions", merge: None, of: Some(270) },
        Field { name: "not", merge: None, of: Some(270) },
        Field { name: "oneOf", merge: None, of: Some(270) },
        Field { name: "patternProperties", merge: None, of: Some(270) },
        Field { name: "properties", merge: None, of: Some(270) },
        Field { name: "x-kubernetes-validations", merge: Some(&["rule"]), of: None },
    ]),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", &[
        Field { name: "finalizers", merge: Some(&[]), of: None },
        Field { name: "ownerReferences", merge: Some(&["uid"]), of: None },
    ]),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService", &[
        Field { name: "metadata", merge: None, of: Some(271) },
        Field { name: "status", merge: None, of: Some(274) },
    ]),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceList", &[
        Field { name: "items", merge: None, of: Some(272) },
    ]),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus", &[
        Field { name: "conditions", merge: Some(&["type"]), of: None },
    ]),
];
