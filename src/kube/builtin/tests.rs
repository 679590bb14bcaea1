//! Objects of the kinds that are neither Pods nor make them, and where a server finds fault with them.

use crate::kube::{Causes, Field};
use crate::source::Sources;
use crate::yaml::{self, Options};

/// The fields of the causes that an object of 1.34 has, as `path kind`.
fn found(text: &str) -> Vec<String> {
    let file = Sources::default().add("object.yaml", text.to_owned());
    let node = yaml::read(file, text, Options::default()).expect("YAML");
    let field = Field::root(&node);
    let api_version = field.key("apiVersion").text();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let mut causes = Causes::default();
    super::check(field, (group, version, field.key("kind").text()), (1, 34), &mut causes);
    causes.into_vec().iter().map(|cause| format!("{} {:?}", cause.path, cause.kind)).collect()
}

/// Checks objects that share a head and differ in the rest.
fn check(head: &str, table: &[(&str, &[&str])]) {
    for (rest, expected) in table {
        let text = format!("{{{head}, {rest}}}");
        assert_eq!(found(&text), *expected, "{text}");
    }
}

#[test]
fn services() {
    check(
        "apiVersion: v1, kind: Service",
        &[
            ("spec: {ports: [{port: 80, targetPort: 0}]}", &[]),
            ("spec: {clusterIP: None}", &[]),
            ("spec: {type: ExternalName, externalName: a.b.}", &[]),
            ("spec: {}", &["spec.ports Required"]),
            (
                "spec: {type: ExternalName, clusterIP: 10.0.0.1}",
                &["spec.clusterIP Forbidden", "spec.externalName Required"],
            ),
            ("spec: {type: NodePort, clusterIP: None}", &["spec.clusterIP Invalid"]),
            ("spec: {clusterIP: 010.0.0.1, ports: [{port: 1}]}", &[]),
            ("spec: {clusterIP: x, ports: [{port: 1}]}", &["spec.clusterIP Invalid"]),
            (
                "spec: {clusterIP: 10.0.0.1, ipFamilies: [IPv6], ports: [{port: 1}]}",
                &["spec.clusterIP Invalid"],
            ),
            (
                "spec: {ports: [{port: 0}]}",
                &["spec.ports[0].port Invalid", "spec.ports[0].targetPort Invalid"],
            ),
            (
                "spec: {ports: [{port: 1}, {port: 1}]}",
                &["spec.ports[0].name Required", "spec.ports[1].name Required", "spec.ports[1] Duplicate"],
            ),
            ("spec: {ports: [{port: 1, nodePort: 30000}]}", &["spec.ports[0].nodePort Forbidden"]),
            (
                "spec: {type: NodePort, ports: [{name: a, port: 1, nodePort: 30000}, {name: b, port: 1, protocol: UDP, nodePort: 30000}]}",
                &[],
            ),
            (
                "spec: {type: NodePort, ports: [{name: a, port: 1, nodePort: 30000}, {name: b, port: 2, nodePort: 30000}]}",
                &["spec.ports[1].nodePort Invalid"],
            ),
            ("spec: {type: NodePort, ports: [{port: 1, nodePort: -1}]}", &[]),
            (
                "spec: {ports: [{port: 1}], loadBalancerSourceRanges: [10.0.0.0/8]}",
                &["spec.loadBalancerSourceRanges Forbidden"],
            ),
            (
                "spec: {ports: [{port: 1}], externalTrafficPolicy: Local}",
                &["spec.externalTrafficPolicy Invalid"],
            ),
            ("spec: {ports: [{port: 1}], externalIPs: [127.0.0.1]}", &["spec.externalIPs[0] Invalid"]),
            (
                "spec: {ports: [{port: 1}], sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
                &["spec.sessionAffinityConfig.clientIP.timeoutSeconds Invalid"],
            ),
            (
                "spec: {ports: [{port: 1}], trafficDistribution: Near}",
                &["spec.trafficDistribution Unsupported"],
            ),
        ],
    );
}

#[test]
fn endpoints() {
    check(
        "apiVersion: v1, kind: Endpoints",
        &[
            ("subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 1}]}]", &[]),
            ("subsets: [{}]", &["subsets[0] Required"]),
            (
                "subsets: [{addresses: [{ip: 169.254.0.1}], ports: [{port: 0}]}]",
                &["subsets[0].addresses[0].ip Invalid", "subsets[0].ports[0].port Invalid"],
            ),
        ],
    );
    check(
        "apiVersion: discovery.k8s.io/v1, kind: EndpointSlice",
        &[
            ("addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}], ports: [{name: a}, {name: b}]", &[]),
            ("endpoints: []", &["addressType Required"]),
            ("addressType: IPv6, endpoints: [{addresses: ['0::1']}]", &["endpoints[0].addresses[0] Invalid"]),
            (
                "addressType: IPv4, endpoints: [{addresses: ['2001:db8::1']}]",
                &["endpoints[0].addresses Invalid"],
            ),
            ("addressType: FQDN, endpoints: [{addresses: [a]}]", &["endpoints[0].addresses[0] Invalid"]),
            ("addressType: IPv4, ports: [{}, {}]", &["ports[1].name Duplicate"]),
        ],
    );
}

#[test]
fn ingresses_and_policies() {
    let rule = "rules: [{http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: a, port: {number: 1}}}}]}}]";
    check(
        "apiVersion: networking.k8s.io/v1, kind: Ingress",
        &[
            (&format!("spec: {{{rule}}}"), &[]),
            ("spec: {}", &["spec Invalid"]),
            ("spec: {rules: [{host: 1.2.3.4}]}", &["spec.rules[0].host Invalid"]),
            ("spec: {rules: [{host: a, http: {paths: []}}]}", &["spec.rules[0].http.paths Required"]),
            (
                "spec: {rules: [{http: {paths: [{path: a//b, pathType: Exact}]}}]}",
                &[
                    "spec.rules[0].http.paths[0].path Invalid",
                    "spec.rules[0].http.paths[0].path Invalid",
                    "spec.rules[0].http.paths[0].backend Invalid",
                ],
            ),
            (
                "spec: {rules: [{http: {paths: [{path: a}]}}]}",
                &["spec.rules[0].http.paths[0].pathType Required"],
            ),
            (
                "spec: {ingressClassName: A, defaultBackend: {service: {name: 1a, port: {}}}}",
                &[
                    "spec.defaultBackend.service.name Invalid",
                    "spec.defaultBackend Required",
                    "spec.ingressClassName Invalid",
                ],
            ),
        ],
    );
    check(
        "apiVersion: networking.k8s.io/v1, kind: IngressClass",
        &[
            ("spec: {controller: a.b/c}", &[]),
            ("spec: {controller: a}", &["spec.controller Invalid"]),
            (
                "spec: {controller: a.b/c, parameters: {kind: K, name: node, scope: Namespace}}",
                &["spec.parameters.namespace Required"],
            ),
            (
                "spec: {controller: a.b/c, parameters: {kind: K, name: node, namespace: node}}",
                &["spec.parameters.namespace Forbidden"],
            ),
        ],
    );
    check(
        "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy",
        &[
            (
                "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.0/16]}}], ports: [{port: 1, endPort: 2}]}]}",
                &[],
            ),
            (
                "spec: {egress: [{to: [{}], ports: [{port: 2, endPort: 1}]}]}",
                &["spec.egress[0].ports[0].endPort Invalid", "spec.egress[0].to[0] Required"],
            ),
            (
                "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/7]}}]}]}",
                &["spec.ingress[0].from[0].ipBlock.except[0] Invalid"],
            ),
            ("spec: {policyTypes: [ingress]}", &["spec.policyTypes[0] Unsupported"]),
        ],
    );
    check(
        "apiVersion: networking.k8s.io/v1",
        &[
            ("kind: ServiceCIDR, spec: {cidrs: [10.0.0.0/8, '2001:db8::/64']}", &[]),
            ("kind: ServiceCIDR, spec: {cidrs: [10.0.0.1/8]}", &["spec.cidrs[0] Invalid"]),
            ("kind: IPAddress, spec: {}", &["spec.parentRef Required"]),
        ],
    );
}

#[test]
fn roles_and_bindings() {
    check(
        "apiVersion: rbac.authorization.k8s.io/v1",
        &[
            ("kind: Role, rules: []", &[]),
            (
                "kind: Role, rules: [{nonResourceURLs: [/a], verbs: [get]}]",
                &["rules[0].nonResourceURLs Invalid"],
            ),
            ("kind: ClusterRole, rules: [{nonResourceURLs: [/a], verbs: [get]}]", &[]),
            (
                "kind: ClusterRole, rules: [{}]",
                &["rules[0].verbs Required", "rules[0].apiGroups Required", "rules[0].resources Required"],
            ),
            ("kind: ClusterRole, aggregationRule: {}", &["aggregationRule.clusterRoleSelectors Required"]),
            ("kind: RoleBinding, roleRef: {kind: Role, name: a:b}, subjects: [{kind: User, name: x}]", &[]),
            (
                "kind: RoleBinding, roleRef: {kind: role, name: a/b}",
                &["roleRef.kind Unsupported", "roleRef.name Invalid"],
            ),
            (
                "kind: ClusterRoleBinding, roleRef: {kind: Role, name: a}, subjects: [{kind: ServiceAccount, name: a}]",
                &["roleRef.kind Unsupported", "subjects[0].namespace Required"],
            ),
            (
                "kind: RoleBinding, roleRef: {kind: Role, name: a}, subjects: [{kind: Robot}]",
                &["subjects[0].name Required", "subjects[0].kind Unsupported"],
            ),
        ],
    );
}

#[test]
fn webhooks() {
    check(
        "apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration",
        &[
            (
                "webhooks: [{name: a.b.c, clientConfig: {url: 'https://h/p'}, sideEffects: None, admissionReviewVersions: [v1]}]",
                &[],
            ),
            (
                "webhooks: [{name: a.b, clientConfig: {}, admissionReviewVersions: [v2]}]",
                &[
                    "webhooks[0].name Invalid",
                    "webhooks[0].sideEffects Required",
                    "webhooks[0].clientConfig Required",
                    "webhooks[0].admissionReviewVersions Invalid",
                ],
            ),
            (
                "webhooks: [{name: a.b.c, clientConfig: {url: 'http://h?a=b'}, sideEffects: None, admissionReviewVersions: [v1]}]",
                &["webhooks[0].clientConfig.url Invalid", "webhooks[0].clientConfig.url Invalid"],
            ),
            (
                "webhooks: [{name: a.b.c, clientConfig: {service: {name: a, namespace: b, path: /a//b}}, sideEffects: None, admissionReviewVersions: [v1], rules: [{operations: ['*', CREATE], apiGroups: [a], apiVersions: [''], resources: ['a/*', a/b]}]}]",
                &[
                    "webhooks[0].rules[0].operations Invalid",
                    "webhooks[0].rules[0].apiVersions[0] Required",
                    "webhooks[0].rules[0].resources[1] Invalid",
                    "webhooks[0].clientConfig.service.path Invalid",
                ],
            ),
            (
                "webhooks: [{name: a.b.c, clientConfig: {url: 'https://h'}, sideEffects: None, admissionReviewVersions: [v1], matchConditions: [{name: a, expression: 'request.nosuch == 1'}]}]",
                &["webhooks[0].matchConditions[0].expression Invalid"],
            ),
        ],
    );
}

#[test]
fn admission_policies() {
    let matches = "matchConstraints: {resourceRules: [{operations: [CREATE], apiGroups: ['*'], apiVersions: ['*'], resources: [pods]}]}";
    let with = |rest: &str| format!("spec: {{{matches}, {rest}}}");
    check(
        "apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: p}",
        &[
            (
                &with(
                    "variables: [{name: a, expression: object.a}], validations: [{expression: variables.a == 1}]",
                ),
                &[],
            ),
            (&with("validations: []"), &["spec.validations Required", "spec.auditAnnotations Required"]),
            (
                &with("validations: [{expression: variables.a == 1}]"),
                &["spec.validations[0].expression Invalid"],
            ),
            (
                &with("validations: [{expression: 1 + 1, message: ' '}]"),
                &["spec.validations[0].expression Invalid", "spec.validations[0].message Invalid"],
            ),
            (
                &with("paramKind: {}, auditAnnotations: [{key: a b, valueExpression: params.a}]"),
                &[
                    "spec.paramKind.apiVersion Required",
                    "spec.paramKind.kind Required",
                    "spec.auditAnnotations[0].key Invalid",
                ],
            ),
        ],
    );
    check(
        "apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding",
        &[
            ("spec: {policyName: p, validationActions: [Deny]}", &[]),
            (
                "spec: {validationActions: [Deny, Warn], paramRef: {}}",
                &[
                    "spec.policyName Required",
                    "spec.paramRef Required",
                    "spec.paramRef.parameterNotFoundAction Required",
                    "spec.validationActions Invalid",
                ],
            ),
        ],
    );
}

#[test]
fn scaling() {
    let target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}";
    let with = |rest: &str| format!("spec: {{{target}, {rest}}}");
    check(
        "apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler",
        &[
            (&with("maxReplicas: 1"), &[]),
            (&with("minReplicas: 2, maxReplicas: 1"), &["spec.maxReplicas Invalid"]),
            (
                "spec: {maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a}}",
                &["spec.scaleTargetRef.apiVersion Invalid"],
            ),
            (
                &with(
                    "maxReplicas: 1, metrics: [{type: Resource, pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 1}}}]",
                ),
                &["spec.metrics[0].resource Required"],
            ),
            (
                &with(
                    "maxReplicas: 1, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]",
                ),
                &["spec.metrics[0].resource.target.averageUtilization Required"],
            ),
            (
                &with("maxReplicas: 1, behavior: {scaleUp: {policies: []}, scaleDown: {}}"),
                &["spec.behavior.scaleUp.policies Required"],
            ),
        ],
    );
    check(
        "apiVersion: policy/v1, kind: PodDisruptionBudget",
        &[
            ("spec: {}", &[]),
            ("spec: {minAvailable: '50'}", &["spec.minAvailable Invalid"]),
            ("spec: {minAvailable: 101%}", &["spec.minAvailable Invalid"]),
            ("spec: {minAvailable: 1, maxUnavailable: 1}", &["spec Invalid"]),
        ],
    );
}

#[test]
fn storage() {
    let claim = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}";
    let with = |rest: &str| format!("spec: {{{claim}, {rest}}}");
    check(
        "apiVersion: v1, kind: PersistentVolumeClaim",
        &[
            (&with("volumeMode: Block"), &[]),
            ("spec: {}", &["spec.accessModes Required", "spec.resources.requests.storage Required"]),
            (&with("dataSource: {kind: Other, name: a}"), &[]),
            (&with("dataSourceRef: {kind: Other, name: a}"), &["spec.dataSourceRef Invalid"]),
            (&with("dataSourceRef: {kind: Other, name: a, namespace: node}"), &[]),
        ],
    );
    let volume = "accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}";
    let with = |rest: &str| format!("spec: {{{volume}, {rest}}}");
    check(
        "apiVersion: v1, kind: PersistentVolume",
        &[
            (&with("hostPath: {path: /a}"), &[]),
            (&with("storageClassName: a"), &["spec Required"]),
            (&with("hostPath: {path: /a}, csi: {driver: a.b, volumeHandle: h}"), &["spec.csi Forbidden"]),
            (&with("local: {path: /a}"), &["spec.nodeAffinity Required"]),
            (
                &with("hostPath: {path: /}, persistentVolumeReclaimPolicy: Recycle"),
                &["spec.persistentVolumeReclaimPolicy Forbidden"],
            ),
            (
                &with("iscsi: {targetPortal: a, iqn: 'iqn.2001-04.com.example:x', lun: 256}"),
                &["spec.iscsi.lun Invalid"],
            ),
        ],
    );
    check(
        "apiVersion: storage.k8s.io/v1",
        &[
            ("kind: StorageClass, provisioner: a.b/c", &[]),
            (
                "kind: StorageClass, reclaimPolicy: Keep",
                &["provisioner Required", "reclaimPolicy Unsupported"],
            ),
            (
                "kind: StorageClass, provisioner: a, allowedTopologies: [{}]",
                &["allowedTopologies[0].matchLabelExpressions Duplicate"],
            ),
            ("kind: CSIDriver, spec: {fsGroupPolicy: Files}", &["spec.fsGroupPolicy Unsupported"]),
            (
                "kind: CSINode, spec: {drivers: [{name: a.b, nodeID: x}, {name: a.b}]}",
                &["spec.drivers[1].nodeID Required", "spec.drivers[1].name Duplicate"],
            ),
            (
                "kind: VolumeAttachment, spec: {attacher: a.b, nodeName: node, source: {}}",
                &["spec.source Required"],
            ),
            ("kind: VolumeAttributesClass, driverName: a.b", &["parameters Required"]),
        ],
    );
}

#[test]
fn data_and_namespaces() {
    check(
        "apiVersion: v1",
        &[
            ("kind: ConfigMap, data: {a.b: x}, binaryData: {c: eA==}", &[]),
            (
                "kind: ConfigMap, data: {a/b: x, c: x}, binaryData: {c: eA==}",
                &["data[\"a/b\"] Invalid", "data.c Invalid"],
            ),
            ("kind: Secret, type: kubernetes.io/tls, data: {tls.crt: ''}", &["data[\"tls.key\"] Required"]),
            (
                "kind: Secret, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '[]'}",
                &["stringData[\".dockerconfigjson\"] Invalid"],
            ),
            ("kind: Secret, type: other", &[]),
            ("kind: Namespace, spec: {finalizers: [kubernetes, a.b/c]}", &[]),
            ("kind: Namespace, spec: {finalizers: [other]}", &["spec.finalizers Invalid"]),
            ("kind: Node, spec: {podCIDRs: [10.0.0.0/24, 10.1.0.0/24]}", &["spec.podCIDRs Invalid"]),
            ("kind: Node, spec: {taints: [{key: a, effect: Never}]}", &["spec.taints[0].effect Unsupported"]),
        ],
    );
}

#[test]
fn quotas_and_limits() {
    check(
        "apiVersion: v1",
        &[
            ("kind: ResourceQuota, spec: {hard: {pods: 1, count/a.b: 2, requests.nvidia.com/gpu: 1}}", &[]),
            (
                "kind: ResourceQuota, spec: {hard: {pods: 1500m, disk: 1}}",
                &["spec.hard.pods Invalid", "spec.hard.disk Invalid", "spec.hard.disk Invalid"],
            ),
            (
                "kind: ResourceQuota, spec: {hard: {cpu: 1}, scopes: [BestEffort, NotBestEffort]}",
                &["spec.scopes Invalid", "spec.scopes Invalid"],
            ),
            ("kind: LimitRange, spec: {limits: [{type: Container, min: {cpu: 50m}, max: {cpu: 1}}]}", &[]),
            (
                "kind: LimitRange, spec: {limits: [{type: Container, min: {cpu: 50m}, defaultRequest: {cpu: 10m}}]}",
                &["spec.limits[0].defaultRequest.cpu Invalid"],
            ),
            (
                "kind: LimitRange, spec: {limits: [{type: Pod, default: {cpu: 1}}, {type: Pod}]}",
                &["spec.limits[0].default Forbidden", "spec.limits[1].type Duplicate"],
            ),
            (
                "kind: LimitRange, spec: {limits: [{type: PersistentVolumeClaim}]}",
                &["spec.limits[0].limits Required"],
            ),
        ],
    );
}

#[test]
fn the_rest() {
    check(
        "metadata: {name: v1.x.y}",
        &[
            (
                "apiVersion: apiregistration.k8s.io/v1, kind: APIService, spec: {group: x.y, version: v1, groupPriorityMinimum: 1, versionPriority: 1}",
                &[],
            ),
            (
                "apiVersion: apiregistration.k8s.io/v1, kind: APIService, spec: {group: x.z, version: v1, versionPriority: 1001}",
                &[
                    "metadata.name Invalid",
                    "spec.groupPriorityMinimum Invalid",
                    "spec.versionPriority Invalid",
                ],
            ),
            (
                "apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, value: 1000000001",
                &["value Forbidden"],
            ),
            ("apiVersion: node.k8s.io/v1, kind: RuntimeClass, handler: a_b", &["handler Invalid"]),
            (
                "apiVersion: coordination.k8s.io/v1, kind: Lease, spec: {leaseDurationSeconds: 0}",
                &["spec.leaseDurationSeconds Invalid"],
            ),
            (
                "apiVersion: apps/v1, kind: ControllerRevision, revision: -1",
                &["revision Invalid", "data Required"],
            ),
            (
                "apiVersion: v1, kind: Event, involvedObject: {namespace: other}",
                &["involvedObject.namespace Invalid"],
            ),
            (
                "apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, spec: {request: eA==, signerName: a/b, usages: [fly]}",
                &["spec.request Invalid", "spec.usages[0] Unsupported", "spec.signerName Invalid"],
            ),
            (
                "apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: FlowSchema, spec: {matchingPrecedence: 10001, priorityLevelConfiguration: {name: a}, rules: [{subjects: [{kind: User}]}]}",
                &[
                    "spec.matchingPrecedence Invalid",
                    "spec.rules[0].subjects[0].user Required",
                    "spec.rules[0] Required",
                ],
            ),
            (
                "apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: PriorityLevelConfiguration, spec: {type: Limited, limited: {limitResponse: {type: Queue, queuing: {handSize: 65}}}}",
                &["spec.limited.limitResponse.queuing.handSize Invalid"],
            ),
            (
                "apiVersion: resource.k8s.io/v1, kind: ResourceClaim, spec: {devices: {requests: [{name: a, exactly: {deviceClassName: c}}], constraints: [{requests: [b], matchAttribute: a}]}}",
                &[
                    "spec.devices.constraints[0].requests[0] Invalid",
                    "spec.devices.constraints[0].matchAttribute Invalid",
                ],
            ),
            (
                "apiVersion: resource.k8s.io/v1, kind: ResourceSlice, spec: {driver: a.b, pool: {name: p, resourceSliceCount: 1}, allNodes: true, devices: [{name: a, attributes: {b: {}}}]}",
                &["spec.devices[0].attributes.b Required"],
            ),
        ],
    );
}

/// A definition whose `spec` field has this schema.
fn definition(schema: &str) -> Vec<String> {
    found(&format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: as.x.y}}, spec: {{group: \
         x.y, scope: Cluster, names: {{plural: as, kind: A}}, versions: [{{name: v1, served: true, storage: true, schema: \
         {{openAPIV3Schema: {{type: object, properties: {{spec: {schema}}}}}}}}}]}}}}"
    ))
    .into_iter()
    .map(|cause| cause.replace("spec.versions[0].schema.openAPIV3Schema.properties.spec", "~"))
    .collect()
}

#[test]
fn schemas_of_definitions() {
    let table: &[(&str, &[&str])] = &[
        ("{type: object, properties: {a: {type: integer, minimum: 1, default: 1}}}", &[]),
        ("{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}", &[]),
        ("{}", &["~.type Required"]),
        ("{type: list}", &["~.type Unsupported"]),
        ("{type: array}", &["~.items Required"]),
        ("{type: string, anyOf: [{type: string}]}", &["~.anyOf[0].type Forbidden"]),
        // A server looks for what alternatives speak of at the root alone.
        ("{type: object, oneOf: [{properties: {a: {minimum: 1}}}]}", &[]),
        ("{type: string, pattern: '(?=a)'}", &["~.pattern Invalid"]),
        ("{type: integer, minimum: 1, default: 0}", &["~.default Invalid"]),
        ("{type: object, default: {a: 1}}", &["~.default Invalid"]),
        (
            "{type: array, items: {type: object}, x-kubernetes-list-type: set}",
            &["~.items.x-kubernetes-map-type Invalid"],
        ),
        (
            "{type: array, items: {type: object, properties: {a: {type: string}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a]}",
            &["~.items.properties.a.default Required"],
        ),
        (
            "{type: object, properties: {a: {type: string}}, additionalProperties: {type: string}}",
            &["~.additionalProperties Forbidden"],
        ),
        ("{type: integer, x-kubernetes-validations: [{rule: self > 1}]}", &[]),
        (
            "{type: integer, x-kubernetes-validations: [{rule: self, message: ' '}]}",
            &["~.x-kubernetes-validations[0].message Invalid"],
        ),
        (
            "{type: integer, x-kubernetes-validations: [{rule: self}]}",
            &["~.x-kubernetes-validations[0].rule Invalid"],
        ),
        (
            "{type: object, x-kubernetes-validations: [{rule: 'true', fieldPath: .a}]}",
            &["~.x-kubernetes-validations[0].fieldPath Invalid"],
        ),
    ];
    for (schema, expected) in table {
        assert_eq!(definition(schema), *expected, "{schema}");
    }
}

#[test]
fn definitions() {
    let schema = "schema: {openAPIV3Schema: {type: object}}";
    let head = "apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition";
    check(
        head,
        &[
            (
                &format!(
                    "metadata: {{name: as.x.y}}, spec: {{group: x.y, scope: Cluster, names: {{plural: as, kind: A}}, versions: [{{name: v1, storage: true, {schema}, subresources: {{scale: {{specReplicasPath: spec.a}}}}, additionalPrinterColumns: [{{name: a, type: int, jsonPath: a}}]}}]}}"
                ),
                &[
                    "spec.versions[0].subresources.scale.specReplicasPath Invalid",
                    "spec.versions[0].subresources.scale.statusReplicasPath Required",
                    "spec.versions[0].additionalPrinterColumns[0].type Invalid",
                    "spec.versions[0].additionalPrinterColumns[0].jsonPath Invalid",
                ],
            ),
            (
                &format!(
                    "metadata: {{name: as.x.y}}, spec: {{group: x, names: {{plural: As, kind: A, listKind: A}}, versions: [{{name: 1, {schema}}}]}}"
                ),
                &[
                    "metadata.name Invalid",
                    "spec.group Invalid",
                    "spec.scope Required",
                    "spec.names.plural Invalid",
                    "spec.names.listKind Invalid",
                    "spec.versions[0].name Invalid",
                    "spec.versions Invalid",
                ],
            ),
            (
                &format!(
                    "metadata: {{name: as.x.k8s.io}}, spec: {{group: x.k8s.io, scope: Cluster, names: {{plural: as, kind: A}}, conversion: {{strategy: Webhook}}, versions: [{{name: v1, storage: true, {schema}}}]}}"
                ),
                &[
                    "spec.conversion.webhook.clientConfig Required",
                    "spec.conversion.webhook.conversionReviewVersions Required",
                    "metadata.annotations[\"api-approved.kubernetes.io\"] Required",
                ],
            ),
        ],
    );
}
