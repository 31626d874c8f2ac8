/** Fields whose texts are quantities, which may be written as numbers too: `cpu: 2`. The generated table calls them strings. */
export const quantityFields: ReadonlySet<string> = new Set([
  "ContainerStatus.allocatedResources",
  "EmptyDirVolumeSource.sizeLimit",
  "NodeAllocatableResourceClaimStatus.resources",
  "NodeStatus.allocatable",
  "NodeStatus.capacity",
  "PodSpec.overhead",
  "PodStatus.allocatedResources",
  "ResourceFieldSelector.divisor",
  "ResourceQuotaSpec.hard",
  "ResourceQuotaStatus.hard",
  "ResourceQuotaStatus.used",
  "ResourceRequirements.limits",
  "ResourceRequirements.requests",
  "VolumeResourceRequirements.limits",
  "VolumeResourceRequirements.requests",
]);
