"""The tagging service: everything of the account's that has a tag, in one region."""

from typing import Any

from tests.cloud.fake.cloud import Service, page

PAGE = 100


class Tagging(Service[str]):
    """Things by their tags, whatever service they are of."""

    names = ("resourcegroupstaggingapi",)

    def state(self, region: str) -> str:
        """Nothing but the region's name."""
        return region

    def get_resources(self, region: str, asked: dict[str, Any]) -> dict[str, Any]:
        """ARNs with all the asked tags, of the asked types, a page at a time."""
        filters = {f["Key"]: f.get("Values", []) for f in asked.get("TagFilters", [])}
        types = asked.get("ResourceTypeFilters", [])
        found = [
            {
                "ResourceARN": arn,
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
            for arn, tags in self.cloud.tagged(region)
            if all(
                key in tags and tags[key] in (values or tags.values())
                for key, values in filters.items()
            )
            and (not types or _type(arn) in types or _type(arn).partition(":")[0] in types)
        ]
        listed, token = page(found, asked, PAGE)
        return {"ResourceTagMappingList": listed, "PaginationToken": token or ""}


def _type(arn: str) -> str:
    """``sagemaker:endpoint`` of an ARN."""
    parts = arn.split(":", 5)
    return f"{parts[2]}:{parts[5].partition('/')[0]}"
