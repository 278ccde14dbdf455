"""The rest of what Dataverse says of a table and a column: documented properties that no twin uses.

Clients select them by name, so each is there, with the value that an ordinary table has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SINCE: Final = "1900-01-01T00:00:00Z"
_VERSION: Final = "5.0.0.0"

_TABLE: Final[Mapping[str, Any]] = {
    "ActivityTypeMask": 0,
    "AutoCreateAccessTeams": False,
    "AutoRouteToOwnerQueue": False,
    "CanTriggerWorkflow": True,
    "CreatedOn": _SINCE,
    "DataProviderId": None,
    "DataSourceId": None,
    "DaysSinceRecordLastModified": 0,
    "EnforceStateTransitions": False,
    "EntityColor": None,
    "EntityHelpUrl": None,
    "EntityHelpUrlEnabled": False,
    "ExternalCollectionName": None,
    "ExternalName": None,
    "HasActivities": False,
    "HasEmailAddresses": False,
    "HasFeedback": False,
    "HasNotes": False,
    "IconLargeName": None,
    "IconMediumName": None,
    "IconSmallName": None,
    "IconVectorName": None,
    "IntroducedVersion": _VERSION,
    "IsAIRUpdated": False,
    "IsActivityParty": False,
    "IsArchivalEnabled": False,
    "IsAvailableOffline": True,
    "IsBPFEntity": False,
    "IsBusinessProcessEnabled": False,
    "IsChildEntity": False,
    "IsDocumentManagementEnabled": False,
    "IsDocumentRecommendationsEnabled": False,
    "IsEnabledForCharts": True,
    "IsEnabledForExternalChannels": False,
    "IsEnabledForTrace": False,
    "IsImportable": True,
    "IsInteractionCentricEnabled": False,
    "IsKnowledgeManagementEnabled": False,
    "IsMSTeamsIntegrationEnabled": False,
    "IsOneNoteIntegrationEnabled": False,
    "IsOptimisticConcurrencyEnabled": True,
    "IsQuickCreateEnabled": False,
    "IsReadingPaneEnabled": True,
    "IsRetentionEnabled": False,
    "IsRetrieveAuditEnabled": False,
    "IsRetrieveMultipleAuditEnabled": False,
    "IsSLAEnabled": False,
    "IsSolutionAware": False,
    "IsStateModelAware": True,
    "MobileOfflineFilters": None,
    "ModifiedOn": _SINCE,
    "OwnerId": None,
    "OwnerIdType": None,
    "OwningBusinessUnit": None,
    "PrimaryImageAttribute": None,
    "Privileges": [],
    "RecurrenceBaseEntityLogicalName": None,
    "SettingOf": None,
    "SyncToExternalSearchIndex": False,
    "UsesBusinessDataLabelTable": False,
}

_MANAGED: Final[Mapping[str, tuple[bool, str]]] = {
    "CanBeInCustomEntityAssociation": (True, "canbeincustomentityassociation"),
    "CanBeInManyToMany": (True, "canbeinmanytomany"),
    "CanBePrimaryEntityInRelationship": (True, "canbeprimaryentityinrelationship"),
    "CanBeRelatedEntityInRelationship": (True, "canberelatedentityinrelationship"),
    "CanChangeHierarchicalRelationship": (True, "canchangehierarchicalrelationship"),
    "CanChangeTrackingBeEnabled": (True, "canchangetrackingbeenabled"),
    "CanCreateAttributes": (True, "cancreateattributes"),
    "CanCreateCharts": (True, "cancreatecharts"),
    "CanCreateForms": (True, "cancreateforms"),
    "CanCreateViews": (True, "cancreateviews"),
    "CanEnableSyncToExternalSearchIndex": (True, "canenablesynctoexternalsearchindex"),
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsConnectionsEnabled": (True, "canmodifyconnectionsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsDuplicateDetectionEnabled": (True, "canmodifyduplicatedetectionsettings"),
    "IsMailMergeEnabled": (False, "canmodifymailmergesettings"),
    "IsMappable": (True, "ismappable"),
    "IsOfflineInMobileClient": (False, "canmodifymobileclientoffline"),
    "IsReadOnlyInMobileClient": (False, "canmodifymobileclientreadonly"),
    "IsRenameable": (True, "isrenameable"),
    "IsValidForQueue": (False, "canmodifyqueuesettings"),
    "IsVisibleInMobile": (False, "canmodifymobilevisibility"),
    "IsVisibleInMobileClient": (True, "canmodifymobileclientvisibility"),
}
"""Property of a table → its value, and what the property is called that manages it."""

_COLUMN: Final[Mapping[str, Any]] = {
    "AutoNumberFormat": None,
    "CanBeSecuredForCreate": False,
    "CanBeSecuredForRead": False,
    "CanBeSecuredForUpdate": False,
    "ColumnNumber": 1,
    "CreatedOn": _SINCE,
    "DeprecatedVersion": None,
    "ExternalName": None,
    "InheritsFrom": None,
    "IntroducedVersion": _VERSION,
    "IsDataSourceSecret": False,
    "IsFilterable": True,
    "IsRequiredForForm": False,
    "IsRetrievable": True,
    "IsSearchable": True,
    "IsSecured": False,
    "IsValidForForm": True,
    "IsValidForGrid": True,
    "LinkedAttributeId": None,
    "ModifiedOn": _SINCE,
    "SourceType": 0,
}

_MANAGED_OF_COLUMN: Final[Mapping[str, tuple[bool, str]]] = {
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsAuditEnabled": (False, "canmodifyauditsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsGlobalFilterEnabled": (False, "canmodifyglobalfiltersettings"),
    "IsRenameable": (True, "isrenameable"),
    "IsSortableEnabled": (False, "canmodifyissortablesettings"),
}


def describe_usual_table() -> dict[str, Any]:
    """Property → its value, of a table; those that differ from table to table are left out."""
    return {**_TABLE, **_manage(_MANAGED)}


def describe_usual_column() -> dict[str, Any]:
    """Property → its value, of a column; those that differ from column to column are left out."""
    return {**_COLUMN, **_manage(_MANAGED_OF_COLUMN)}


def _manage(properties: Mapping[str, tuple[bool, str]]) -> dict[str, Any]:
    """Managed properties: a solution may have closed them, so they say whether they may change."""
    return {
        name: {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": manager}
        for name, (value, manager) in properties.items()
    }
