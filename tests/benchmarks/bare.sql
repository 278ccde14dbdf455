-- The bare work, for comparison: the same Parquet files in, the mapped columns of both tasks out, in source order, with the
-- same codec. The same accounts join, value maps as joins; no validation, decisions, findings or hashes.
-- in: contacts, accounts, transactioncurrencies, spellings (spelling, code), labels (source, key, value)    params: $customers, $persons
COPY (
    SELECT
        c.firstname AS PersonFirstName,
        c.middlename AS PersonMiddleName,
        c.lastname AS PersonLastName,
        c.creditlimit AS CreditLimit,
        '10' AS CustomerGroupId,
        c.fax AS PrimaryContactFax,
        coalesce(r.isocurrencycode, 'EUR') AS SalesCurrencyCode,
        c.msdynce_contactnumber AS CustomerAccount,
        c.address1_city AS AddressCity,
        n.code AS AddressCountryRegionISOCode,
        c.description AS SalesMemo,
        c.emailaddress1 AS PrimaryContactEmail,
        c.address1_line1 AS AddressStreet,
        'Person' AS PartyType,
        c.telephone1 AS PrimaryContactPhone,
        c.address1_postalcode AS AddressZipCode,
        c.address1_stateorprovince AS AddressState,
        c.websiteurl AS PrimaryContactURL,
        c.fullname AS AddressDescription,
        'en-us' AS LanguageId,
        c.msdynce_contactnumber AS PartyNumber,
        'Yes' AS IsExternallyMaintained,
        c.contactid
    FROM contacts AS c
    LEFT JOIN transactioncurrencies AS r ON r.transactioncurrencyid = c._transactioncurrencyid_value
    LEFT JOIN spellings AS n ON n.spelling = lower(trim(c.address1_country))
    WHERE c.msdynce_isactivecustomer
) TO $customers (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);

COPY (
    SELECT
        c.department AS EmploymentDepartment,
        c.description AS Notes,
        c.emailaddress1 AS PrimaryEmailAddress,
        coalesce(g.value, 'Unknown') AS Gender,
        c.governmentid AS GovernmentIdentificationNumber,
        c.firstname AS FirstName,
        c.lastname AS LastName,
        c.msdynce_contactnumber AS ContactPersonPartyNumber,
        c.address1_city AS PrimaryAddressCity,
        n.code AS PrimaryAddressCountryRegionISOCode,
        c.middlename AS MiddleName,
        c.address1_line1 AS PrimaryAddressStreet,
        'Person' AS ContactPersonPartyType,
        c.telephone1 AS PrimaryPhoneNumber,
        c.address1_postalcode AS PrimaryAddressZipCode,
        c.address1_stateorprovince AS PrimaryAddressStateId,
        c.websiteurl AS PrimaryURL,
        coalesce(f.value, 'None') AS MaritalStatus,
        coalesce(d.value, 'Yes') AS IsReceivingDirectMail,
        c.jobtitle AS EmploymentProfession,
        s.value AS IsInactive,
        a.accountnumber AS AssociatedPartyNumber,
        'Yes' AS IsContactPersonExternallyMaintained,
        c.contactid
    FROM contacts AS c
    JOIN accounts AS a ON a.accountid = c._parentcustomerid_value
    LEFT JOIN spellings AS n ON n.spelling = lower(trim(c.address1_country))
    LEFT JOIN labels AS g ON g.source = 'gendercode' AND g.key = c.gendercode
    LEFT JOIN labels AS f ON f.source = 'familystatuscode' AND f.key = c.familystatuscode
    LEFT JOIN labels AS d ON d.source = 'donotemail' AND d.key = CAST(c.donotemail AS INTEGER)
    LEFT JOIN labels AS s ON s.source = 'statecode' AND s.key = c.statecode
    WHERE c.msdynce_isactivecustomer IS NOT TRUE
) TO $persons (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
